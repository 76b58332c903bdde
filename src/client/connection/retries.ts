import { setTimeout as delay } from "node:timers/promises";
import { StillageError } from "../../base/errors.ts";
import { ProxyError } from "../../base/proxy.ts";
import type { Channel } from "../../rpc/client/channel.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { FailedRemote } from "./connection-failure.ts";
import { retryAfterMs } from "./retry-info.ts";
import { rpcFailure } from "./rpc-failure.ts";

/** Tries after the first one, and before each of them a pause that grows by `growth`: 0.5, 0.8, 1.3 and 2 s, up to half as much more by chance. */
const defaultLimit = 4;

/** Of a server that has spoken, and is not there now: over twenty seconds in all, in which one that is being restarted comes back. */
const restartLimit = 7;
const defaultDelayMs = 500;
const growth = 1.6;
const jitter = 0.5;

/** No pause is longer, whatever was asked for. */
const maxDelayMs = 30_000;

/** Where not even the connection could be made, or nothing was heard: waiting longer for a server that is not there helps nobody. */
const fruitlessLimit = 1;

export interface RetryOptions {
  readonly spec: FailedRemote & Pick<RemoteSpec, "connection">;
  /** What is being done, for messages: `asking for what is missing`. */
  readonly doing: string;
  readonly signal: AbortSignal;
  /** Whether the server has spoken on this channel: then it is waited for where it refuses. Without it that is not known. */
  readonly channel?: Pick<Channel, "reached">;
  /** Whether one that was never heard is asked again where it refuses the connection; true unless it is given. What the configuration says goes before. */
  readonly patient?: boolean;
  /** Pauses for so many milliseconds; for tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1; for tests. */
  readonly random?: () => number;
}

const sleep = async (ms: number, signal: AbortSignal): Promise<void> => void (await delay(ms, undefined, { signal }));

/**
 * Does what may fail in passing, again where it did: as often and with such pauses as the server is configured, or says by a RetryInfo. Errors: those of `rpcFailure`, and
 * StillageErrors of `attempt` as they are.
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const retries = new Retries(options);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await retries.after(error);
    }
  }
}

/** Counts the tries of what is done in several, for whoever has to look between them. */
export class Retries {
  private readonly options: RetryOptions;
  private tries = 0;
  private fruitless = 0;

  constructor(options: RetryOptions) {
    this.options = options;
  }

  /** What was tried has got further: what comes now is a first try again. */
  progressed(): void {
    this.tries = 0;
    this.fruitless = 0;
  }

  /** Returns when it is time to try again. Throws what it failed with, translated, where it is not worth it. */
  async after(error: unknown): Promise<void> {
    const { spec, doing, signal, channel, patient = true, pause = sleep, random = Math.random } = this.options;
    const { retryLimit, retryDelayMs = defaultDelayMs } = spec.connection;
    const passing = signal.aborted ? "no" : passingKind(error, channel?.reached === true);
    if (passing === "fruitless") this.fruitless++;
    const limit = retryLimit ?? (passing === "away" ? restartLimit : defaultLimit);
    const hopeless =
      this.fruitless > fruitlessLimit || (!patient && passing === "fruitless" && isRefused(error as RpcError));
    const over = this.tries >= limit || (retryLimit === undefined && hopeless);
    if (passing === "no" || over) throw await rpcFailure(error, spec, doing, signal);
    const base = askedFor(error) ?? retryDelayMs;
    const ms = Math.min(base * growth ** this.tries++ * (1 + jitter * random()), maxDelayMs);
    try {
      await pause(ms, signal);
    } catch (stopped) {
      throw await rpcFailure(stopped, spec, doing, signal);
    }
  }
}

function askedFor(error: unknown): number | undefined {
  if (error instanceof StillageError) return error.retryAfterMs;
  return error instanceof RpcError ? retryAfterMs(error.details) : undefined;
}

/** Whether trying again may help: `fruitless` where nothing at all was heard of the server, `away` where it was `reached` before and that was known at once. */
function passingKind(error: unknown, reached: boolean): "yes" | "fruitless" | "away" | "no" {
  if (error instanceof StillageError) return error.code === "unavailable" || error.code === "aborted" ? "yes" : "no";
  if (!(error instanceof RpcError)) return "no";
  const { cause } = error;
  if (cause instanceof ConnectionError) {
    if (cause.failure === "silent") return cause.stage === "open" ? "fruitless" : "no";
    if (cause.stage === "open") return reached ? "away" : "yes";
    // A server that is being restarted refuses for a moment. What it says of certificates, and of another protocol, it will say again.
    if (cause.failure !== "ended" && !mayRecover(cause.cause)) return "no";
    return reached ? "away" : "fruitless";
  }
  return passingStatus.has(error.code) || (error.code === grpcStatus.resourceExhausted && error.details !== undefined)
    ? "yes"
    : "no";
}

const passingStatus = new Set<number>([grpcStatus.unavailable, grpcStatus.aborted, grpcStatus.cancelled]);

/** A server that is being restarted refuses, also a proxy that is to connect to it. */
const mayRecover = (error: unknown): boolean =>
  (error instanceof ProxyError && passingProxy.has(error.status)) ||
  ["ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ENOENT"].includes(
    (error as NodeJS.ErrnoException | undefined)?.code ?? "",
  );

/** Whether nothing takes connections there, be it only for now. */
function isRefused({ cause }: { cause?: unknown }): boolean {
  if (!(cause instanceof ConnectionError) || cause.stage !== "connect") return false;
  return ["ECONNREFUSED", "ENOENT"].includes((cause.cause as NodeJS.ErrnoException | undefined)?.code ?? "");
}

const passingProxy = new Set<number | undefined>([502, 503, 504]);
