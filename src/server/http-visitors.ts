import { StillageError } from "../base/errors.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/exchange.ts";
import type { AccessLog } from "./access-log.ts";
import type { Admission, Place } from "./admission.ts";
import { errorResponse } from "./http-status.ts";

/** Paths for whoever wants to know how a server is, however full that is. */
export interface OpenPaths {
  /** Nobody is asked who he is, either. */
  readonly forEveryone: ReadonlySet<string>;
  readonly forOperators: ReadonlySet<string>;
}

/**
 * Finds out whose request it is, and whether there is room for it, before `handler` answers it, and gives the answer to errors that were
 * foreseen.
 */
export function identified(
  handler: HttpHandler,
  admission: Admission,
  { forEveryone, forOperators }: OpenPaths,
): HttpHandler {
  return async (request) => {
    if (forEveryone.has(request.path)) return handler(request);
    let place: Place | undefined;
    try {
      request.caller = await request.identify(request.headers.authorization ?? "");
      if (!forOperators.has(request.path)) place = admission.call(request.peer, request.caller);
      const response = await handler(request);
      return place === undefined ? response : whenEnded(request, response, place.leave);
    } catch (error) {
      place?.leave();
      if (error instanceof StillageError && error.code !== "internal") return errorResponse(error);
      throw error;
    }
  };
}

/** Enters every request into the access log, once its answer has been given or given up. */
export function logged(handler: HttpHandler, log: AccessLog): HttpHandler {
  return async (request) => {
    const begin = performance.now();
    const enter = (status: number, out: number): void => {
      const { method, path, peer, caller, instance, received } = request;
      log.write({
        who: caller.name,
        peer: peer.address,
        call: `HTTP ${method}`,
        instance,
        what: path,
        status: String(status),
        in: received,
        out,
        ms: performance.now() - begin,
      });
    };
    try {
      const response = await handler(request);
      return whenEnded(request, response, (out) => enter(response.status, out));
    } catch (error) {
      enter(request.signal.aborted ? 499 : 500, 0);
      throw error;
    }
  };
}

/**
 * Calls `ended` once, with the bytes of the body that were taken, when the response has gone or never will. The request's signal says so where a
 * client has left before the body was begun: then nobody asks for it, not even to end it.
 */
function whenEnded(request: HttpRequest, response: HttpResponse, ended: (bytes: number) => void): HttpResponse {
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
