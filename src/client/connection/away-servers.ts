import type { Channel } from "../../rpc/client/channel.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { remoteIdentity } from "../configuration/choose-remotes.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { firstAnswerMs, openChannel } from "./channel.ts";
import { NotGrpc } from "./not-grpc.ts";
import { askUnlessAway, type LeftRemote } from "./open-remotes.ts";
import { instanceRequest } from "./probe-messages.ts";
import { questions } from "./probe-questions.ts";
import type { Reachability } from "./reachability.ts";
import { withRetries } from "./retries.ts";
import { brokenConnection } from "./silent-failure.ts";
import { tlsTrouble } from "./tls-trouble.ts";

export interface AwayOptions {
  /** Who did not answer lately is not asked, and what comes of asking is remembered. */
  readonly reachability: Reachability;
  readonly signal: AbortSignal;
}

/**
 * Those of some servers that are not there, in their order: each server is sent one small call, all at once, and whatever it says to that is an answer. What it thinks of
 * our credentials, we of its certificate, and what the configuration says wrong is for whoever is going to use it; but what speaks no gRPC is no such server. Errors: the signal's.
 */
export async function findAwayServers(
  specs: readonly RemoteSpec[],
  { reachability, signal }: AwayOptions,
): Promise<readonly LeftRemote[]> {
  // It is the same server for those who push and those who do not.
  const servers = Map.groupBy(specs, (spec) => remoteIdentity({ ...spec, push: false }));
  const found = await Promise.all(
    [...servers.values()].map(async (same) => {
      const [first] = same as [RemoteSpec];
      const asked = await askUnlessAway(first, { reachability, signal }, () => ask(first, signal));
      return "remembered" in asked && isAway(asked) ? same.map((spec) => ({ ...asked, spec })) : [];
    }),
  );
  signal.throwIfAborted();
  const away = new Map(found.flat().map((left) => [left.spec, left]));
  return specs.flatMap((spec) => away.get(spec) ?? []);
}

/** What BuildStream asks such a server first, so that all of them take it. */
async function ask(spec: RemoteSpec, signal: AbortSignal): Promise<object> {
  const channel = openChannel(spec);
  const method = spec.type === "storage" ? questions.capabilities : questions.fetchBlob;
  try {
    return await withRetries(() => answerTo(channel, method, spec, signal), {
      ...{ spec, channel, signal },
      doing: "asking whether it is there",
    });
  } finally {
    channel.destroy();
  }
}

async function answerTo(channel: Channel, method: string, spec: RemoteSpec, signal: AbortSignal): Promise<object> {
  const request = instanceRequest.encode({ instanceName: spec.instanceName });
  try {
    return await channel.unary(method, request, { signal, timeoutMs: firstAnswerMs(spec) });
  } catch (error) {
    if (error instanceof RpcError && isAnswer(error)) return error;
    throw error;
  }
}

/** What is said of a server that nobody got through to. */
const unheard = new Set<number>([grpcStatus.unavailable, grpcStatus.deadlineExceeded, grpcStatus.cancelled]);

const isAnswer = ({ code, cause }: RpcError): boolean => !(cause instanceof ConnectionError) && !unheard.has(code);

function isAway({ error, remembered }: LeftRemote): boolean {
  if (remembered || error.cause instanceof NotGrpc) return true;
  if (error.code !== "unavailable" && error.code !== "deadline") return false;
  return tlsTrouble(brokenConnection(error)?.cause) === undefined;
}
