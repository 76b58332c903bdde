import type { Channel } from "../../rpc/client/channel.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { firstAnswerMs } from "./channel.ts";
import { ProbeAnswers } from "./probe-answers.ts";
import { instanceRequest } from "./probe-messages.ts";
import { asksPush, type Outcomes, type Question, questions, questionsFor } from "./probe-questions.ts";
import { askProduct, type Product } from "./product.ts";
import { Retries, type RetryOptions } from "./retries.ts";
import { rpcFailure } from "./rpc-failure.ts";

const doing = "asking what it speaks";

export interface ProbeOptions {
  readonly channel: Channel;
  readonly spec: RemoteSpec;
  /** Whether it matters if we may push. */
  readonly askPush: boolean;
  /** As of RetryOptions. */
  readonly patient?: boolean;
  readonly signal: AbortSignal;
}

/** What a server turned out to be. */
export interface Probed {
  readonly answers: ProbeAnswers;
  readonly product: Product | undefined;
}

/**
 * Asks a server what it speaks and lets us do, all questions at once; those that it is too busy to answer, again. Errors: those of `rpcFailure`, where nothing at all was
 * answered.
 */
export async function probe({ channel, spec, askPush, patient = true, signal }: ProbeOptions): Promise<Probed> {
  const timeoutMs = firstAnswerMs(spec);
  const request = instanceRequest.encode({ instanceName: spec.instanceName });
  const ask = async (question: Question): Promise<readonly [Question, Uint8Array | RpcError]> => {
    try {
      return [question, await channel.unary(questions[question], request, { signal, timeoutMs })];
    } catch (error) {
      if (error instanceof RpcError) return [question, error];
      throw error;
    }
  };
  const outcomes = await askedPatiently(questionsFor(spec.type, askPush), ask, { spec, doing, patient, signal });
  const answers = new ProbeAnswers(outcomes, spec, (question, error) =>
    rpcFailure(error, spec, asksPush(question) ? "asking whether artifacts may be pushed" : doing, signal),
  );
  // Nobody else's speaks both, and servers of gRPC alone log a page that is asked for as a client's error.
  const ours = outcomes.get("bstCapabilities") instanceof Uint8Array && !answers.lacks("fetchBlob");
  return { answers, product: ours ? await askProduct(channel, { signal, timeoutMs }) : undefined };
}

type Ask = (question: Question) => Promise<readonly [Question, Uint8Array | RpcError]>;

/** Asks all questions, and those that were not answered because the server has no time, or is not there yet, again. */
async function askedPatiently(all: readonly Question[], ask: Ask, options: RetryOptions): Promise<Outcomes> {
  const { spec, signal } = options;
  const retries = new Retries(options);
  const outcomes = new Map<Question, Uint8Array | RpcError>();
  for (let open = all; ; ) {
    for (const [question, outcome] of await Promise.all(open.map(ask))) outcomes.set(question, outcome);
    const busy = open.filter((question) => isBusy(outcomes.get(question)));
    const failure = firstIfUnheard([...outcomes.values()]);
    const [first] = busy;
    if (first === undefined) {
      if (failure !== undefined || signal.aborted) throw await rpcFailure(failure, spec, doing, signal);
      return outcomes;
    }
    try {
      await retries.after(failure ?? outcomes.get(first));
    } catch (error) {
      // What was answered so far is worth more than what was not.
      if (failure !== undefined || signal.aborted) throw error;
      return outcomes;
    }
    open = busy;
  }
}

function isBusy(outcome: Uint8Array | RpcError | undefined): boolean {
  return outcome instanceof RpcError && outcome.code === grpcStatus.unavailable;
}

/** What a call ends with where the server, or something before it, did not get to it. */
const unheard = new Set<number>([
  ...[grpcStatus.unavailable, grpcStatus.deadlineExceeded, grpcStatus.unknown, grpcStatus.cancelled],
]);

/** The first error of a server that answered nothing but that it does not know what is asked, and that not of everything. */
function firstIfUnheard(outcomes: readonly (Uint8Array | RpcError)[]): RpcError | undefined {
  let first: RpcError | undefined;
  for (const outcome of outcomes) {
    if (!(outcome instanceof RpcError)) return undefined;
    // What a web server has no page for says nothing of services.
    if (unheard.has(outcome.code) || outcome.httpStatus === 404) first ??= outcome;
    else if (outcome.code !== grpcStatus.unimplemented) return undefined;
  }
  return first;
}
