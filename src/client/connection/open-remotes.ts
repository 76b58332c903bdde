import { asStillageError, StillageError } from "../../base/errors.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { openGrpcRemote } from "./grpc-remote.ts";
import type { Blocked, Reachability } from "./reachability.ts";
import type { RemotePlace } from "./remote-place.ts";
import { isSilence } from "./silent-failure.ts";
import { tlsTrouble } from "./tls-trouble.ts";
import { watchedRemote } from "./watched-remote.ts";

export interface OpenRemoteOptions {
  /** Whether we mean to push, although the configuration does not say so. */
  readonly askPush?: boolean;
  /** Whether a server that refuses the connection is asked again after a moment, as one that is being restarted does; true unless it is given. */
  readonly patient?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Finds out what a server speaks, by asking it. What can be gRPC is asked so first; a web server, and what cannot be gRPC, may be a cache of BuildStream 1.0. Errors: `unavailable` and
 * `deadline` where it cannot be reached, `unauthenticated`, `forbidden`, `unsupported`, `invalid`, and for what is no gRPC those of `openOstreeRemote`.
 */
export async function openRemote(spec: RemoteSpec, options: OpenRemoteOptions): Promise<RemotePlace> {
  const { url, type } = spec;
  const web = /^https?:/i.test(url);
  if (isOstreeAlone(url)) return openOstree(spec, options);
  try {
    return await openGrpcRemote(spec, options);
  } catch (error) {
    // Caches of 1.0 have no types.
    if (!web || type !== "all" || !isNoGrpc(error)) throw error;
    return await openOstree(spec, options).catch((second: unknown) => {
      throw neither(spec, error, asStillageError(second));
    });
  }
}

/** Whether it cannot be the URL of a gRPC server: `ssh://`, `file://`, or a path. */
function isOstreeAlone(url: string): boolean {
  return /^(ssh|file):\/\//i.test(url) || !/^[a-z][a-z0-9+.-]*:/i.test(url);
}

/** A cache of BuildStream 1.0. What is needed for it is loaded for it alone: few have one. */
async function openOstree(spec: RemoteSpec, { askPush = spec.push, signal }: OpenRemoteOptions): Promise<RemotePlace> {
  const ostree = await import("./ostree-remote.ts");
  return ostree.openOstree(spec, askPush, signal);
}

/** Whether something answered, and not as a gRPC server does. One that is not trusted, or does not trust us, is not asked for more. */
function isNoGrpc(error: unknown): boolean {
  if (!(error instanceof StillageError)) return false;
  if (error.code === "unsupported" || isRefusedPage(error)) return true;
  const broken = error.cause instanceof RpcError ? error.cause.cause : undefined;
  if (!(broken instanceof ConnectionError) || broken.failure === "silent") return false;
  const trouble = tlsTrouble(broken.cause);
  return trouble === undefined ? broken.stage === "settings" : trouble.noHttp2 === true;
}

/** Whether it was refused by a web server, or a proxy, and not by gRPC: what stands in the URL before the host is shown to those of BuildStream 1.0 alone. */
function isRefusedPage({ cause }: StillageError): boolean {
  return cause instanceof RpcError && (cause.httpStatus === 401 || cause.httpStatus === 403);
}

/** What to say of a web server that has no repository for us either. */
function neither({ name }: RemoteSpec, first: unknown, second: StillageError): StillageError {
  if (second.code === "unauthenticated" || second.code === "forbidden") return second;
  if (first instanceof StillageError && isRefusedPage(first)) return first;
  if (second.code !== "not-found") return asStillageError(first);
  return new StillageError(
    "unsupported",
    `${name} is a web server: it has neither gRPC nor a cache of BuildStream 1.0`,
    {
      hint: "check host and port; of a cache of BuildStream 1.0 the URL is that of the directory in which `summary` is",
      cause: first,
    },
  );
}

/** A server that cannot be used now. */
export interface LeftRemote {
  readonly spec: RemoteSpec;
  readonly error: StillageError;
  /** That was known from before, and it was not asked. */
  readonly remembered: boolean;
}

/** Disposing closes those that are open. */
export interface OpenedRemotes extends AsyncDisposable {
  /** In the order in which they are configured. */
  readonly open: readonly RemotePlace[];
  readonly left: readonly LeftRemote[];
}

export interface OpenRemotesOptions extends OpenRemoteOptions {
  /** Servers that did not answer lately are not asked again before their time, nor those that stop answering; without it all are. */
  readonly reachability: Reachability | undefined;
  /** Asks all the same, as somebody wants who names a server. What comes of it is remembered. */
  readonly insist?: boolean;
  /** Called for an open one that has stopped answering, and is left out for a while. */
  readonly gone?: (remote: LeftRemote) => void;
  readonly now?: () => number;
}

/**
 * Opens servers, all at once. Whatever keeps one from being used keeps no other, and is told; it is remembered only that somebody waited for a server in vain. Errors:
 * the signal's.
 */
export async function openRemotes(specs: readonly RemoteSpec[], options: OpenRemotesOptions): Promise<OpenedRemotes> {
  const { signal } = options;
  await using opened = new AsyncDisposableStack();
  const open: RemotePlace[] = [];
  const left: LeftRemote[] = [];
  for (const result of await Promise.all(specs.map((spec) => openOne(spec, options)))) {
    if ("remembered" in result) left.push(result);
    else open.push(opened.use(result));
  }
  signal.throwIfAborted();
  const parts = opened.move();
  return { open, left, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function openOne(spec: RemoteSpec, options: OpenRemotesOptions): Promise<RemotePlace | LeftRemote> {
  const { reachability, gone } = options;
  const asked = await askUnlessAway(spec, options, () => openRemote(spec, options));
  if ("remembered" in asked || reachability === undefined) return asked;
  return watchedRemote(asked, reachability, (error) => gone?.({ spec, error, remembered: false }));
}

/** Asks a server something, unless it did not answer lately; whether it answers is remembered. */
export async function askUnlessAway<T extends object>(
  spec: RemoteSpec,
  options: Pick<OpenRemotesOptions, "reachability" | "insist" | "signal" | "now">,
  ask: () => Promise<T>,
): Promise<T | LeftRemote> {
  const { reachability, insist = spec.byHand === true, signal, now = Date.now } = options;
  const blocked = insist ? undefined : reachability?.blocked(spec);
  if (blocked !== undefined) return { spec, error: rememberedFailure(spec, blocked, now()), remembered: true };
  try {
    const answer = await ask();
    await reachability?.reached(spec);
    return answer;
  } catch (caught) {
    const error = asStillageError(caught);
    if (!signal.aborted) await remember(reachability, spec, error);
    return { spec, error, remembered: false };
  }
}

/** What is known at once costs nothing to find out again, and may be this machine's own fault. Of `ssh` it is not known how long it waited. */
async function remember(reachability: Reachability | undefined, spec: RemoteSpec, error: StillageError): Promise<void> {
  const { code, message } = error;
  if (isSilence(error) || (code === "unavailable" && isOstreeAlone(spec.url))) {
    await reachability?.failed(spec, message);
  } else if (!saysNothing.has(code)) await reachability?.reached(spec);
}

/** Codes that do not tell whether the server answered. */
const saysNothing = new Set<StillageError["code"]>(["unavailable", "invalid", "internal"]);

function rememberedFailure({ name }: RemoteSpec, { until, since, why }: Blocked, now: number): StillageError {
  const seconds = Math.max(1, Math.ceil((until - now) / 1000));
  const from = new Date(since).toISOString().slice(0, 19);
  return new StillageError(
    "unavailable",
    `${name} has not answered since ${from}Z, and is not asked for another ${seconds} s: ${why}`,
    { hint: "`stillage remote check` asks it now" },
  );
}
