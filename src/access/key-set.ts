import { readFile } from "node:fs/promises";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../base/clock.ts";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { isUrl } from "../config/access.ts";

/** A large provider has some ten keys, of two kilobytes each with certificates. */
const maxBytes = 1 << 20;

/** How long an answer may take, from the first packet to the last. */
const timeoutMs = 10_000;

/** How old keys become before they are asked for again. Providers announce a new key long before they use it. */
export const refreshMs = 10 * 60_000;

/** The least time between two requests, however many tokens name keys that nobody knows, and while there are none. */
const cooldownMs = 30_000;

/** The public keys of one issuer, from a file or a URL. Where a URL does not answer, the keys that it gave last stay good. */
export class KeySet {
  private readonly source: string;
  private readonly clock: Clock;
  private readonly log: Log;
  private keys: JWTVerifyGetKey | undefined;
  private asked = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | undefined;

  constructor(source: string, clock: Clock, log: Log) {
    this.source = source;
    this.clock = clock;
    this.log = log;
  }

  /** Reads a file anew; errors: `failed-precondition`. A URL is asked, and not waited for: an issuer that is away must not keep a server from anything. */
  async load(): Promise<void> {
    if (!isUrl(this.source)) this.keys = parse(await readKeys(this.source), this.source);
    else this.refreshOld();
  }

  /** Resolves when a request that is under way has come to something. */
  async settled(): Promise<void> {
    await this.asking;
  }

  /** The keys as they are known. Errors: `unavailable` while there are none. */
  async current(): Promise<JWTVerifyGetKey> {
    this.refreshOld();
    if (this.keys === undefined) await this.asking;
    if (this.keys !== undefined) return this.keys;
    throw new StillageError("unavailable", `the keys of ${this.source} are not known yet`, {
      hint: "the issuer does not answer; the server's log says why",
      retryAfterMs: Math.max(1000, cooldownMs - (this.clock() - this.asked)),
    });
  }

  /** A token names a key that is not among them: there may be a new one. Tells whether it is worth looking again. */
  async renew(): Promise<boolean> {
    if (!isUrl(this.source)) return false;
    if (this.asking === undefined) {
      if (this.clock() - this.asked < cooldownMs) return false;
      this.refresh();
    }
    await this.asking;
    return true;
  }

  private refreshOld(): void {
    const age = this.clock() - this.asked;
    if (isUrl(this.source) && age > (this.keys === undefined ? cooldownMs : refreshMs)) this.refresh();
  }

  private refresh(): void {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
  }

  private async ask(): Promise<void> {
    this.asked = this.clock();
    try {
      this.keys = parse(await fetchKeys(this.source), this.source);
    } catch (error) {
      this.log.warn({ keys: this.source, reason: reasonOf(error) }, "the keys of an issuer could not be fetched");
    }
  }
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new StillageError("failed-precondition", fromFileSystem(error, `the key set ${path} cannot be read`).message);
  }
}

async function fetchKeys(url: string): Promise<string> {
  const headers = { accept: "application/json, application/jwk-set+json" };
  // Whoever could redirect the request could name keys of his own.
  const response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
  if (response.status !== 200) throw new Error(`HTTP status ${response.status}`);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function parse(text: string, source: string): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
  } catch (error) {
    throw new StillageError("failed-precondition", `${source} is no JSON Web Key Set: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
