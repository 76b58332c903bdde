import { readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, emptyDigest, isEmptyBlob, keyOfDigest, showDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { makeFolderSync } from "../../base/make-folder.ts";
import { Slices } from "../../base/slices.ts";
import type { BlobSink, WholeBlob } from "../blob-place.ts";
import { cacheFailure, checkSignal } from "./cache-failure.ts";
import { type CacheLayout, objectPath } from "./cache-layout.ts";
import { removeObject, sizeOfObject, touchObject } from "./object-file.ts";
import { copied, freshWriterName, type LyingBlobs, ObjectWriters } from "./object-writers.ts";
import { different, PartialFile } from "./partial-file.ts";
import { ShelfNames } from "./shelf-names.ts";
import { SmallObjects } from "./small-objects.ts";
import { WrittenObjects } from "./written-objects.ts";

/** What a killed process has left is removed after so many milliseconds: parts of large blobs, and small files. */
const partsKeptMs = 7 * 24 * 3_600_000;
const smallKeptMs = 3_600_000;

/** So many blobs at once are written beside what else is to be done. */
const minForThreads = 200;

/**
 * The blobs that programs of one generation keep, each a file under its hash, as a sink. Objects appear by linking what is verified; a crash at any point leaves
 * files in `incoming` alone: parts that are gone on with, and small ones. Several processes at once, and the real programs beside them, do not
 * disturb one another: whoever comes second finds the same bytes.
 */
export class ObjectSink implements BlobSink {
  readonly borrows = true;
  private readonly layout: CacheLayout;
  private readonly small: SmallObjects;
  private readonly threads: ObjectWriters;
  private readonly written: WrittenObjects;
  private readonly names: ShelfNames;
  private isReady = false;

  constructor(layout: CacheLayout) {
    this.layout = layout;
    this.small = new SmallObjects(layout, freshWriterName());
    this.threads = new ObjectWriters(layout);
    this.written = new WrittenObjects(layout.objects);
    this.names = new ShelfNames(layout.objects);
  }

  expectWrites(): void {
    this.threads.start();
  }

  /**
   * Those that are not there, or in another size. It is a use of the others, as casd counts it: they are the last to go. Some 5 µs each, in slices. Whoever relies
   * on one that somebody else has just written, or that was written before a kill, has it on the disk after `flush` as well.
   */
  async missing(digests: readonly Digest[], signal: AbortSignal): Promise<Digest[]> {
    const slices = new Slices();
    this.names.prepare(digests);
    const missing = new Map<string, Digest>();
    for (const digest of digests) {
      if (slices.over) {
        await slices.rest();
        checkSignal(signal);
      }
      if (isEmptyBlob(digest)) continue;
      const changed =
        digest.function !== sha256 || this.names.lacks(digest)
          ? undefined
          : touchObject(objectPath(this.layout, digest), digest.size);
      if (changed === undefined) missing.set(keyOfDigest(digest), digest);
      else if (this.written.mayWait(changed)) this.written.add(digest.hash);
    }
    if (missing.size >= minForThreads) this.threads.start();
    return [...missing.values()];
  }

  async writeMany(blobs: readonly WholeBlob[], signal: AbortSignal, memory?: ArrayBuffer): Promise<void> {
    checkSignal(signal);
    this.prepare();
    for (const { digest, bytes } of blobs) {
      checkFunction(digest);
      if (bytes.length !== digest.size) throw different(digest);
    }
    const inThread = blobs.length >= minForThreads;
    const slices = new Slices();
    for (const { digest, bytes } of blobs) {
      if (slices.over) {
        await slices.rest();
        checkSignal(signal);
      }
      // What lies in the memory of a batch a source has verified.
      if (memory === undefined && hashOf(sha256, bytes) !== digest.hash) throw different(digest);
      if (!inThread && !isEmptyBlob(digest)) this.put(digest, bytes);
    }
    if (!inThread) return;
    const isLying = memory !== undefined && blobs.every(({ bytes }) => bytes.buffer === memory);
    await this.writeInThread(isLying ? { blobs, memory } : copied(blobs));
  }

  async write(
    digest: Digest,
    content: (offset: number) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    checkFunction(digest);
    if (isEmptyBlob(digest)) return;
    this.prepare();
    const file = await PartialFile.take(this.layout.incoming, digest).catch((error: unknown) => {
      throw this.failure(error, digest);
    });
    try {
      await fill(file, digest, content, signal);
      this.small.makeShelf(digest.hash);
      await file.publish(objectPath(this.layout, digest), this.layout.objectMode);
    } catch (error) {
      await file.rest();
      throw this.failure(error, digest);
    }
    this.wrote(digest);
  }

  async flush(): Promise<void> {
    await this.written.sync();
  }

  /** Ends the threads that write. A real program that ran meanwhile has noted what it counted, without what is written here. */
  async close(): Promise<void> {
    try {
      await this.threads.close();
    } finally {
      this.small.close();
      if (this.isReady) removeObject(this.layout.usage);
    }
  }

  private async writeInThread({ blobs, memory }: LyingBlobs): Promise<void> {
    const some = blobs.filter(({ digest }) => !isEmptyBlob(digest));
    const failure = await this.threads.write({ blobs: some, memory }).catch((error: unknown) => {
      throw cacheFailure(error, `writing to ${dirname(this.layout.objects)}`);
    });
    const count = failure?.at ?? some.length;
    for (let i = 0; i < count; i++) this.wrote((some[i] as WholeBlob).digest);
    if (failure !== undefined) throw this.failure(failure, (some[failure.at] as WholeBlob).digest);
  }

  private put(digest: Digest, bytes: Uint8Array): void {
    try {
      this.small.put(digest.hash, bytes);
    } catch (error) {
      throw this.failure(error, digest);
    }
    this.wrote(digest);
  }

  private wrote({ hash }: Digest): void {
    this.written.add(hash);
    this.names.add(hash);
  }

  /** Makes what has to be there before anything is written, and lets the real program count anew what it has. */
  private prepare(): void {
    if (this.isReady) return;
    const { incoming, usage } = this.layout;
    try {
      makeFolderSync(incoming);
      removeAbandoned(incoming);
      removeObject(usage);
      // Real programs look for it, and link to it, as to any other.
      const empty = emptyDigest(sha256);
      if (sizeOfObject(objectPath(this.layout, empty)) !== 0) this.put(empty, new Uint8Array(0));
    } catch (error) {
      throw cacheFailure(error, `writing to ${dirname(this.layout.objects)}`);
    }
    this.isReady = true;
  }

  private failure(error: unknown, digest: Digest): StillageError {
    return cacheFailure(error, `writing ${showDigest(digest)} to ${dirname(this.layout.objects)}`);
  }
}

/** Writes the rest of a blob. What an earlier run has left may be wrong, after a power cut for one, and what follows another's: then all of it comes again. */
async function fill(
  file: PartialFile,
  digest: Digest,
  content: (offset: number) => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for (let began = file.length; ; began = 0) {
    for await (const bytes of file.length < digest.size ? content(file.length) : []) {
      checkSignal(signal);
      await file.write(bytes);
    }
    if (file.length < digest.size) throw new StillageError("unavailable", `${showDigest(digest)} broke off`);
    // Who gives all of it has verified it.
    if (began === 0 || (await file.isWhole())) return;
    await file.restart();
  }
}

function checkFunction(digest: Digest): void {
  if (digest.function === sha256) return;
  throw new StillageError("unsupported", `BuildStream's cache has no blobs by ${digest.function.name}`);
}

function removeAbandoned(incoming: string): void {
  for (const name of readdirSync(incoming)) {
    const path = join(incoming, name);
    const kept = name.endsWith(".part") ? partsKeptMs : smallKeptMs;
    try {
      if (statSync(path).mtimeMs < Date.now() - kept) rmSync(path, { recursive: true, force: true });
    } catch {
      // gone, or another user's: it takes room, and harms nobody
    }
  }
}
