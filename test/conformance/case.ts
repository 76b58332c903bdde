import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { type Endpoint, openEndpoint } from "./support/endpoint.ts";

/** Where the server under test listens, and what it was told to serve. */
export interface Target {
  /** Takes reads and writes. */
  readonly url: string;
  /** The instance that most cases use. */
  readonly instance: string;
  /** Another one, and one with a slash in its name, where the server has them. */
  readonly others: readonly string[];
  /** Listeners or servers with less. */
  readonly pullOnly?: string;
  readonly indexOnly?: string;
  readonly storageOnly?: string;
  /** A server that holds less than 256 MiB. */
  readonly small?: string;
  /** The same cache, where it serves BuildStream before 2, too. */
  readonly older?: string;
}

export type Need = "others" | "pullOnly" | "indexOnly" | "storageOnly" | "small" | "older";

/** What a case works with: connections of its own, closed behind it. */
export interface Server extends Endpoint {
  readonly instance: string;
  readonly others: readonly string[];
  /** One more connection, to the main address or to one that the case says it needs. */
  connect(to?: Exclude<Need, "others">): Endpoint;
}

/** One thing that a server must do. Throws where it does otherwise. */
export interface Case {
  /** `service/what`, unique. */
  readonly id: string;
  readonly title: string;
  /** The text that fixes the answer, or the client that relies on it. */
  readonly source: string;
  /** Without these of the target, the case cannot run. */
  readonly needs?: readonly Need[];
  /** What of the API is left to servers and missing here, in words; `undefined` where the case can run. */
  lacks?(server: Server): Promise<string | undefined>;
  run(server: Server): Promise<void>;
}

export interface Outcome {
  readonly case: Case;
  readonly result: "passed" | "failed" | "skipped";
  /** Why not passed: the same words at each run. */
  readonly why?: string;
}

/** Far above what any case takes: a server that answers nothing must not hang the suite. */
const caseTimeoutMs = 30_000;

/** Runs one case. Never throws. */
export async function runCase(each: Case, target: Target): Promise<Outcome> {
  const lacking = (each.needs ?? []).filter((need) => (need === "others" ? target.others.length < 2 : !target[need]));
  if (lacking.length > 0) return { case: each, result: "skipped", why: `the target has no ${lacking.join(", ")}` };
  const endpoints: Endpoint[] = [];
  const connect: Server["connect"] = (to) => {
    const endpoint = openEndpoint((to === undefined ? undefined : target[to]) ?? target.url);
    endpoints.push(endpoint);
    return endpoint;
  };
  const server: Server = { ...connect(), instance: target.instance, others: target.others, connect };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    for (const endpoint of endpoints) endpoint.channel.destroy();
  }, caseTimeoutMs);
  try {
    const missing = await each.lacks?.(server);
    if (missing !== undefined) return { case: each, result: "skipped", why: missing };
    await each.run(server);
    return { case: each, result: "passed" };
  } catch (error) {
    return { case: each, result: "failed", why: late ? "no answer in time" : reason(error) };
  } finally {
    clearTimeout(timer);
    for (const endpoint of endpoints) endpoint.channel.destroy();
  }
}

/** The message of a foreign error may differ from run to run. */
function reason(error: unknown): string {
  return error instanceof RpcError ? `an unexpected ${error.status}` : (error as Error).message;
}
