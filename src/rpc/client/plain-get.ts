import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { grpcStatus } from "../status.ts";
import { outcomeOfReset } from "./outcome.ts";
import { RpcError } from "./rpc-error.ts";
import type { Session } from "./session.ts";

/** What a server answered to a request that is no call. */
export interface PlainResponse {
  readonly status: number;
  /** The media type, without parameters; empty where the server says none. */
  readonly type: string;
  readonly body: Uint8Array;
}

export interface PlainLimits {
  /** A longer body is not received. */
  readonly maxBytes: number;
  /** For all of it. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Receives the response of a request that is under way. Throws RpcError, with the codes of a call that fails the same way; INTERNAL for a body that is too long. */
export function receivePlain(
  stream: ClientHttp2Stream,
  session: Session,
  { maxBytes, timeoutMs, signal }: PlainLimits,
): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let received = 0;
    let head: IncomingHttpHeaders | undefined;
    let whole = false;
    let cause: Error | undefined;
    const fail = (code: number, why: string): void => {
      reject(new RpcError(code, why));
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const cancel = (): void => fail(grpcStatus.cancelled, "cancelled by the caller");
    const late = (): void => fail(grpcStatus.deadlineExceeded, `no answer within ${timeoutMs} ms`);
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    signal?.addEventListener("abort", cancel, { once: true });
    stream.on("response", (headers) => {
      head = headers;
    });
    stream.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
      if (received > maxBytes) fail(grpcStatus.internal, `an answer of more than ${maxBytes} bytes`);
      else chunks.push(chunk);
    });
    stream.on("end", () => {
      whole = true;
    });
    stream.on("error", (error) => {
      cause = error;
    });
    stream.on("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      const [type = ""] = (head?.["content-type"] ?? "").split(";");
      if (head === undefined || !whole || stream.rstCode !== constants.NGHTTP2_NO_ERROR)
        reject(outcomeOfReset(stream.rstCode, session.usable ? undefined : session.failure, cause));
      else resolve({ status: Number(head[":status"]), type: type.trim().toLowerCase(), body: Buffer.concat(chunks) });
    });
  });
}
