import { StillageError } from "../base/errors.ts";
import type { HttpHandler, HttpResponse } from "../http/exchange.ts";
import type { AccessLog } from "./access-log.ts";
import type { Admission, Place } from "./admission.ts";
import { CountedRequest } from "./counted-request.ts";
import { errorResponse } from "./http-status.ts";

/**
 * Finds out whose request it is, and whether there is room for it, before `handler` answers it, and gives the answer to errors that were
 * foreseen.
 */
export function identified(handler: HttpHandler, admission: Admission): HttpHandler {
  return async (request) => {
    let place: Place | undefined;
    try {
      request.caller = await request.identify(request.headers.authorization ?? "");
      place = admission.call(request.peer, request.caller);
      const response = await handler(request);
      const { body } = response;
      if (body === undefined || body instanceof Uint8Array || request.method === "HEAD") place.leave();
      else return { ...response, body: followed(body, place.leave) };
      return response;
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
    const counted = new CountedRequest(request);
    const enter = (status: number, out: number): void => {
      const { method, path, peer, caller, instance } = counted;
      log.write({
        who: caller.name,
        peer: peer.address,
        call: `HTTP ${method}`,
        instance,
        what: path,
        status: String(status),
        in: counted.received,
        out,
        ms: performance.now() - begin,
      });
    };
    let response: HttpResponse;
    try {
      response = await handler(counted);
    } catch (error) {
      enter(request.signal.aborted ? 499 : 500, 0);
      throw error;
    }
    const { status, body } = response;
    if (body === undefined || body instanceof Uint8Array || request.method === "HEAD") {
      enter(status, body instanceof Uint8Array && request.method !== "HEAD" ? body.length : 0);
      return response;
    }
    return { ...response, body: followed(body, (out) => enter(status, out)) };
  };
}

async function* followed(
  body: Exclude<HttpResponse["body"], Uint8Array | undefined>,
  ended: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      yield piece;
    }
  } finally {
    ended(bytes);
  }
}
