import type { CallOptions, Channel } from "../../rpc/client/channel.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** How long a call of an index may take that has no limit configured: a server may have to walk all of an artifact to say whether it is there. */
const defaultSeconds = 30;

/**
 * Unary calls to a remote: each with a time limit, tried again where that may help, and with the errors of a place: `unavailable` and `deadline` where the server is
 * at fault, `exhausted` where it has no room, `forbidden` and `unauthenticated`, `cancelled` for the signal.
 */
export class RemoteCalls {
  /** As messages call the remote. */
  readonly name: string;
  readonly instanceName: string;
  private readonly channel: Channel;
  private readonly spec: RemoteSpec;

  constructor(channel: Channel, spec: RemoteSpec) {
    this.channel = channel;
    this.spec = spec;
    this.name = spec.name;
    this.instanceName = spec.instanceName;
  }

  async unary(method: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return this.channel.unary(method, request, { signal, timeoutMs: 1000 * (this.spec.connection.requestTimeoutSeconds ?? defaultSeconds) });
  }

  /** `undefined` for NOT_FOUND. */
  async unaryOrMissing(method: string, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.unary(method, request, signal).catch((error) => { if (error instanceof RpcError && error.code === grpcStatus.notFound) return undefined; throw error; });
  }

  /** The error that a status in an answer stands for. */
  failure(method: string, code: number, message: string): Error {
    return new RpcError(code, message);
  }
}
