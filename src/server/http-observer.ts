import type { HttpHandler, HttpRequest, HttpResponse } from "../http/exchange.ts";

/** Hears of every HTTP request that has ended. `status` is 499 where the client left before it had an answer; bytes are those of bodies. */
export interface HttpObserver {
  answered(request: HttpRequest, status: number, responseBytes: number, milliseconds: number): void;
}

/** Tells `observers` of every request, once its answer has been given or given up. */
export function observed(handler: HttpHandler, observers: readonly HttpObserver[]): HttpHandler {
  return async (request) => {
    const begin = performance.now();
    const tell = (status: number, bytes: number): void => {
      const ms = performance.now() - begin;
      for (const observer of observers) observer.answered(request, status, bytes, ms);
    };
    try {
      const response = await handler(request);
      return whenEnded(request, response, (bytes) => tell(response.status, bytes));
    } catch (error) {
      tell(request.signal.aborted ? 499 : 500, 0);
      throw error;
    }
  };
}

/**
 * Calls `ended` once, with the bytes of the body that were taken, when the response has gone or never will. The request's signal says so where a
 * client has left before the body was begun: then nobody asks for it, not even to end it.
 */
export function whenEnded(request: HttpRequest, response: HttpResponse, ended: (bytes: number) => void): HttpResponse {
  const { body } = response;
  if (body === undefined || body instanceof Uint8Array || request.method === "HEAD") {
    ended(body instanceof Uint8Array && request.method !== "HEAD" ? body.length : 0);
    return response;
  }
  let bytes = 0;
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    request.signal.removeEventListener("abort", end);
    ended(bytes);
  };
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of body) {
        bytes += piece.length;
        yield piece;
      }
    } finally {
      end();
    }
  };
  if (request.signal.aborted) end();
  else request.signal.addEventListener("abort", end);
  return { ...response, body: counted() };
}
