import type { IncomingMessage } from "node:http";
import { type Digest, parseDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { isPromise, type MaybePromise } from "../base/maybe-promise.ts";
import type { BlobStaging } from "../store/blob-staging.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { OriginBody } from "./http-get.ts";
import { type Integrity, IntegrityCheck } from "./integrity.ts";
import { fromNetwork } from "./network-error.ts";
import { showUrl } from "./origin-url.ts";
import { everySecond, Pace, type Ticks } from "./pace.ts";

export interface DownloadOptions {
  readonly blobs: BlobStore;
  readonly staging: BlobStaging;
  readonly function: DigestFunction;
  readonly integrity: Integrity | undefined;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly ticks?: Ticks;
}

/**
 * Stores what an origin sends, verified. Where its digest is known beforehand (the checksum is by the store's own function and the
 * origin tells the length) it is an upload like any other; else it is staged. A crash before the end leaves nothing of it.
 * Errors: `aborted` where it is not what it has to be; `failed-precondition` where it is larger than allowed; `unavailable` where the
 * connection breaks; `deadline` where too little comes; `exhausted`; the signal's reason.
 */
export async function download(source: OriginBody, options: DownloadOptions): Promise<Digest> {
  try {
    checkLength(source, source.length ?? 0, options.maxBytes);
    // Such an end may be that of the connection alone, and without a checksum nobody would ever know.
    if (source.endless && options.integrity === undefined) {
      throw new StillageError(
        "aborted",
        `${showUrl(source.from)} does not tell where its content ends, and there is no checksum`,
      );
    }
    const expected = digestBeforehand(source, options);
    if (expected === undefined) return await stage(source, options);
    return await upload(source, expected, options);
  } finally {
    source.body.destroy();
  }
}

function digestBeforehand({ length }: OriginBody, { integrity, function: fn }: DownloadOptions): Digest | undefined {
  const [hash, ...others] = integrity?.function === fn.name ? integrity.hashes : [];
  if (hash === undefined || others.length > 0 || length === undefined || length === 0) return undefined;
  return parseDigest(hash, length, fn);
}

async function upload(source: OriginBody, digest: Digest, options: DownloadOptions): Promise<Digest> {
  const begun = await options.blobs.upload(digest).catch(asFull);
  try {
    await receive(source, options, (chunk) => begun.write(chunk));
    await begun.finish().catch((error: unknown) => {
      if (!(error instanceof StillageError) || error.code !== "invalid") return asFull(error);
      throw new StillageError("aborted", `${showUrl(source.from)} is not what its checksum says: ${error.message}`);
    });
    return digest;
  } finally {
    await begun.abort();
  }
}

async function stage(source: OriginBody, options: DownloadOptions): Promise<Digest> {
  const { staging, function: fn, integrity, maxBytes } = options;
  const check = new IntegrityCheck(integrity, fn.name);
  const staged = await staging.stage(fn);
  try {
    await receive(source, options, (chunk) => {
      checkLength(source, staged.received + chunk.length, maxBytes);
      check.update(chunk);
      return staged.write(chunk);
    });
    const digest = await staged.seal();
    try {
      check.check(digest.hash);
    } catch (error) {
      throw new StillageError("aborted", `${showUrl(source.from)}: ${(error as StillageError).message}`);
    }
    await staged.finish();
    return digest;
  } finally {
    await staged.abort();
  }
}

/** Takes the whole body. The socket is read no faster than `take` goes. */
async function receive(
  { body, from }: OriginBody,
  { signal, ticks = everySecond }: DownloadOptions,
  take: (chunk: Uint8Array) => MaybePromise<void>,
): Promise<void> {
  const pace = new Pace((error) => body.destroy(error));
  using _ = ticks(pace.tick);
  for await (const chunk of chunksOf(body, (error) => fromNetwork(error, from, signal))) {
    pace.took(chunk.length);
    const taken = take(chunk);
    if (isPromise(taken)) await pace.aside(taken);
  }
  signal.throwIfAborted();
  if (!body.complete) throw new StillageError("unavailable", `the connection to ${from.host} ended within the content`);
}

/** The body's chunks; only what reading them meets is translated. */
async function* chunksOf(
  body: IncomingMessage,
  translate: (error: unknown) => StillageError,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await chunks.next().catch((error: unknown) => {
        throw translate(error);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}

function checkLength({ from }: OriginBody, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new StillageError("failed-precondition", `${showUrl(from)} has more than ${maxBytes} bytes`, {
    hint: "the operator of the cache can raise origin-max-bytes",
  });
}

/** A fetch says that the store is full as it is, and not in the words that BuildStream's pushes need (`retryWhenFull`). */
function asFull(error: unknown): never {
  if (error instanceof StillageError && error.cause instanceof StillageError && error.cause.code === "exhausted") {
    throw error.cause;
  }
  throw error;
}
