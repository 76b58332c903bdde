import { grpcStatusName } from "../status.ts";

/** A call that ended with a status other than OK. */
export class RpcError extends Error {
  /** One of `grpcStatus`, or another number that the server sent. */
  readonly code: number;
  /** The encoded google.rpc.Status of the trailer grpc-status-details-bin. */
  readonly details: Uint8Array | undefined;
  /** Of an answer that was not gRPC's. */
  readonly httpStatus: number | undefined;
  /** Of a call that was ended because nothing went forward in it. */
  readonly stalled: boolean;

  constructor(
    code: number,
    message: string,
    more: { details?: Uint8Array | undefined; httpStatus?: number; stalled?: boolean; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "RpcError";
    this.code = code;
    this.details = more.details;
    this.httpStatus = more.httpStatus;
    this.stalled = more.stalled ?? false;
  }

  /** The name of the code, as the documents of gRPC spell it. */
  get status(): string {
    return grpcStatusName(this.code);
  }
}
