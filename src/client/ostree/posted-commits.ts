import { setTimeout as delay } from "node:timers/promises";
import { StillageError } from "../../base/errors.ts";
import { lookupHost } from "../../base/host-lookup.ts";
import { nodeHttp, nodeHttps } from "../../base/node-http.ts";
import { askedOf, ProxyError, refusalOfProxy, tunnelAgent } from "../../base/proxy.ts";
import { type PostLimits, post } from "../../http/post.ts";
import type { HttpAccess } from "./http-access.ts";

/** What a server may take for what, in milliseconds. */
export interface CommitPostLimits {
  /** To say whether it takes anything. */
  readonly smallMs: number;
  /** To take anything of what is sent. */
  readonly takeMs: number;
  /** To have written what was sent. */
  readonly writtenMs: number;
  /** To look at all that is there, and set refs; while it does, it is asked after each `aliveMs` whether it takes anything. */
  readonly setMs: number;
  readonly aliveMs: number;
}

const usualLimits: CommitPostLimits = {
  smallMs: 5000,
  takeMs: 30_000,
  writtenMs: 60_000,
  setMs: 300_000,
  aliveMs: 10_000,
};

/** A server of ours that takes commits by HTTP (docs/OSTREE.md, "By HTTP"). */
export class CommitPost {
  private readonly base: URL;
  private readonly access: HttpAccess;
  private readonly limits: CommitPostLimits;

  /** `base`: what is above `summary`. */
  constructor(base: URL, access: HttpAccess, limits = usualLimits) {
    this.base = base;
    this.access = access;
    this.limits = limits;
  }

  /** Why it does not take commits from us; `undefined` where it does. Errors: the signal's. */
  async refusal(signal: AbortSignal): Promise<StillageError | undefined> {
    try {
      await this.ask(signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StillageError)) throw error;
      if (told.has(error.code)) return error;
      return new StillageError("unsupported", `${this.shown} is read by HTTP, and takes nothing`, { cause: error });
    }
  }

  /**
   * Sends the objects of a commit, a tar stream, then has refs lead to it. What breaks off before the end changes no ref. Errors: those of `post`, and the archive's; `deadline` where the
   * server stays silent.
   */
  async push(
    refs: readonly string[],
    commit: string,
    archive: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const { smallMs, takeMs, writtenMs, setMs } = this.limits;
    const wanted = Object.fromEntries(refs.map((name) => [name, { to: commit }]));
    // What is sure to be refused need not be sent.
    await this.send("refs", json({ check: true, refs: wanted }), { takeMs, answerMs: 3 * smallMs }, signal);
    const detached = this.detachedOf(await this.send("objects", archive, { takeMs, answerMs: writtenMs }, signal));
    await this.whileAlive(signal, (alive) =>
      this.send("refs", json({ refs: wanted, detached }), { takeMs, answerMs: setMs }, alive),
    );
  }

  /** Errors: those of `post`, where it does not take commits. */
  private async ask(signal: AbortSignal): Promise<void> {
    const { takeMs, smallMs } = this.limits;
    await this.send("refs", json({ check: true, refs: {} }), { takeMs, answerMs: smallMs }, signal);
  }

  /** Does what may take minutes, for as long as the server answers questions beside it: nothing else tells one that is busy from one that is gone. */
  private async whileAlive(signal: AbortSignal, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const gone = new AbortController();
    const over = new AbortController();
    const asking = async (): Promise<void> => {
      for (;;) {
        await delay(this.limits.aliveMs, undefined, { signal: over.signal });
        await this.ask(over.signal);
      }
    };
    const watch = asking().catch((error: unknown) => {
      if (error instanceof StillageError && ["unavailable", "deadline"].includes(error.code)) gone.abort(error);
    });
    try {
      await work(AbortSignal.any([signal, gone.signal]));
    } finally {
      over.abort();
      await watch;
    }
  }

  private detachedOf(answer: string): unknown {
    try {
      return (JSON.parse(answer) as { detached?: unknown }).detached;
    } catch (cause) {
      const what = `${this.shown} took objects and did not say which: what answers there is no server of ours`;
      throw new StillageError("failed-precondition", what, { cause });
    }
  }

  private get shown(): string {
    const { protocol, host, pathname } = this.base;
    return `${protocol}//${host}${pathname}`;
  }

  private async send(
    what: "objects" | "refs",
    body: Uint8Array | AsyncIterable<Uint8Array>,
    limits: PostLimits,
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    const { headers, authorities, client, proxy } = this.access;
    const at = new URL(what, this.base);
    const secure = at.protocol === "https:";
    const plain = proxy === undefined || secure ? undefined : askedOf(proxy, at);
    const request = (secure ? nodeHttps() : nodeHttp()).request(at, {
      ...plain,
      ...(proxy &&
        secure && { agent: tunnelAgent(proxy, { keepAlive: false, signal, connectMs: this.limits.smallMs }) }),
      method: "POST",
      lookup: lookupHost,
      signal,
      headers: {
        ...plain?.headers,
        ...(typeof headers === "function" ? await headers() : headers),
        "content-type": body instanceof Uint8Array ? "application/json" : "application/x-tar",
      },
      ...(authorities !== undefined && { ca: authorities }),
      ...(client && { cert: client.certificate, key: client.key }),
    });
    try {
      return await post(request, body, (error) => unreachable(at, error), limits);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }
}

/** What a server that is asked says of itself, and is worth being told as it is. */
const told = new Set<StillageError["code"]>([
  ...(["forbidden", "unauthenticated", "exhausted", "unavailable", "deadline"] as const),
]);

function unreachable(at: URL, error: unknown): StillageError {
  const { code, message } = error as NodeJS.ErrnoException;
  const shown = `${at.protocol}//${at.host}${at.pathname}`;
  if (code === "ETIMEDOUT") return new StillageError("deadline", `${shown} does not answer`, { cause: error });
  const refused = error instanceof ProxyError && refusalOfProxy(error.status, `${shown}: ${message}`, error);
  if (refused) return refused;
  const why = error instanceof ProxyError ? message : (code ?? message);
  return new StillageError("unavailable", `${shown} cannot be reached (${why})`, { cause: error });
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
