import { StillageError } from "../../base/errors.ts";
import { nodeHttp, nodeHttps } from "../../base/node-http.ts";
import { post } from "../../http/post.ts";
import type { HttpAccess } from "./http-access.ts";

/** A server of ours that takes commits by HTTP (docs/OSTREE.md, "By HTTP"). */
export class CommitPost {
  private readonly base: URL;
  private readonly access: HttpAccess;

  /** `base`: what is above `summary`. */
  constructor(base: URL, access: HttpAccess) {
    this.base = base;
    this.access = access;
  }

  /** Whether it takes commits from us; otherwise why not. Errors: `unavailable`. */
  async refusal(signal: AbortSignal): Promise<StillageError | undefined> {
    try {
      await this.send("refs", json({ check: true, refs: {} }), signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof StillageError) || ["unavailable", "cancelled"].includes(error.code)) throw error;
      if (["forbidden", "unauthenticated", "exhausted"].includes(error.code)) return error;
      const shown = `${this.base.protocol}//${this.base.host}${this.base.pathname}`;
      return new StillageError("unsupported", `${shown} is read by HTTP, and takes nothing`, { cause: error });
    }
  }

  /** Sends the objects of a commit, a tar stream, then has refs lead to it. What breaks off before the end changes no ref. Errors: those of `post`, and the archive's. */
  async push(
    refs: readonly string[],
    commit: string,
    archive: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = Object.fromEntries(refs.map((name) => [name, { to: commit }]));
    // What is sure to be refused need not be sent.
    await this.send("refs", json({ check: true, refs: wanted }), signal);
    const { detached } = JSON.parse(await this.send("objects", archive, signal)) as { detached?: unknown };
    await this.send("refs", json({ refs: wanted, detached }), signal);
  }

  private async send(
    what: "objects" | "refs",
    body: Uint8Array | AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    const { headers, authorities, client } = this.access;
    const at = new URL(what, this.base);
    const request = (at.protocol === "https:" ? nodeHttps() : nodeHttp()).request(at, {
      method: "POST",
      signal,
      headers: {
        ...(typeof headers === "function" ? await headers() : headers),
        "content-type": body instanceof Uint8Array ? "application/json" : "application/x-tar",
      },
      ...(authorities !== undefined && { ca: authorities }),
      ...(client && { cert: client.certificate, key: client.key }),
    });
    try {
      return await post(request, body, (error) => unreachable(at, error));
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }
}

function unreachable(at: URL, error: unknown): StillageError {
  const { code, message } = error as NodeJS.ErrnoException;
  const shown = `${at.protocol}//${at.host}${at.pathname}`;
  return new StillageError("unavailable", `${shown} cannot be reached (${code ?? message})`, { cause: error });
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
