import type { Call } from "./service.ts";

/** Hears of every call: for metrics and the access log. Called on the hot path, so it does little. */
export interface CallObserver {
  started(call: Call): void;
  /** Called once for each call. `status` is a gRPC status code; bytes are those of the messages. */
  finished(
    call: Call,
    status: number,
    message: string,
    requestBytes: number,
    responseBytes: number,
    milliseconds: number,
  ): void;
}
