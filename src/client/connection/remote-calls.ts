import { StillageError } from "../../base/errors.ts";
import type { Channel } from "../../rpc/client/channel.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { withRetries } from "./retries.ts";
import { rpcFailure } from "./rpc-failure.ts";

/** How long a call of an index may take that has no limit configured: a server may have to walk all of an artifact to say whether it is there. */
const defaultSeconds = 30;

/** What the HTTP status of a page says that is no page. */
const statusOfHttp: Readonly<Record<number, number>> = {
  401: grpcStatus.unauthenticated,
  403: grpcStatus.permissionDenied,
  404: grpcStatus.notFound,
};

/** A call with one message there and one back. */
export interface UnaryCall {
  /** `package.Service/Method`. */
  readonly method: string;
  readonly request: Uint8Array;
  /** For messages, as `looking for NAME`. */
  readonly doing: string;
}

/** Small calls to a remote: each with a time limit, tried again where that may help, and with the errors of `rpcFailure`. */
export class RemoteCalls {
  /** As messages call the remote. */
  readonly name: string;
  readonly instanceName: string;
  private readonly channel: Channel;
  private readonly spec: RemoteSpec;
  private readonly timeoutMs: number;

  constructor(channel: Channel, spec: RemoteSpec) {
    this.channel = channel;
    this.spec = spec;
    this.name = spec.name;
    this.instanceName = spec.instanceName;
    this.timeoutMs = 1000 * (spec.connection.requestTimeoutSeconds ?? defaultSeconds);
  }

  unary({ method, request, doing }: UnaryCall, signal: AbortSignal): Promise<Uint8Array> {
    const { channel, spec, timeoutMs } = this;
    return withRetries(() => channel.unary(method, request, { signal, timeoutMs }), { spec, channel, doing, signal });
  }

  /** `undefined` for NOT_FOUND, which is how a server says that a name leads to nothing. */
  async unaryOrMissing(call: UnaryCall, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.unary(call, signal);
    } catch (error) {
      if (error instanceof StillageError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** The body of a page of at most `maxBytes`. `doing` is for messages. */
  page(path: string, maxBytes: number, doing: string, signal: AbortSignal): Promise<Uint8Array> {
    const { channel, spec, timeoutMs } = this;
    const attempt = async (): Promise<Uint8Array> => {
      const { status, body } = await channel.get(path, { signal, timeoutMs, maxBytes });
      if (status === 200) return body;
      throw new RpcError(statusOfHttp[status] ?? grpcStatus.unavailable, `HTTP status ${status}`);
    };
    return withRetries(attempt, { spec, channel, doing, signal });
  }

  /** The error that a status in an answer stands for. */
  failure(code: number, message: string, doing: string, signal: AbortSignal): Promise<StillageError> {
    return rpcFailure(new RpcError(code, message), this.spec, doing, signal);
  }
}
