import { StillageError } from "../base/errors.ts";
import { onBehalfHeader } from "../base/receive-socket.ts";
import { requestIdHeader } from "../base/request-ids.ts";
import type { HttpHandler } from "../http/exchange.ts";
import type { Admission, Place } from "./admission.ts";
import { whenEnded } from "./http-observer.ts";
import { errorResponse } from "./http-status.ts";
import { onBehalfOf } from "./receive-socket.ts";

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
      const { peer, headers } = request;
      const onBehalf = peer.secret !== undefined ? onBehalfOf(headers[onBehalfHeader]) : undefined;
      request.caller = await request.identify(headers.authorization ?? "", onBehalf);
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

/** Tells clients what their requests are called, where something was wrong. */
export function named(handler: HttpHandler): HttpHandler {
  return async (request) => {
    const response = await handler(request);
    if (response.status < 400) return response;
    return { ...response, headers: { ...response.headers, [requestIdHeader]: request.id } };
  };
}
