import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { ArchiveEntry } from "../../base/tar/archive-entry.ts";
import { badArchive, showBytes } from "../../base/tar/archive-error.ts";
import { ByteSource } from "../../base/tar/byte-source.ts";
import { blockBytes, isTarHeader, isZero } from "../../base/tar/tar-header.ts";
import { readTar } from "../../base/tar/tar-reader.ts";
import type { BlobStaging } from "../../store/blob-staging.ts";
import type { Blob, BlobStore } from "../../store/blob-store.ts";
import { blobRange } from "./blob-range.ts";
import { BlobSink } from "./blob-sink.ts";
import { compressionOf, decompress } from "./decompress.ts";
import { entryPath, symlinkTarget } from "./entry-path.ts";
import { TreeBuilder } from "./tree-builder.ts";
import { readZip } from "./zip-reader.ts";

/** What comes out of an archive beyond this many bytes is at most so many times what went in: honest ones reach some hundreds. */
const unwatchedBytes = 256 << 20;
const maxRatio = 1000;

const utf8 = new TextEncoder();

export interface UnpackOptions {
  readonly blobs: BlobStore;
  readonly staging: BlobStaging;
  /** The most bytes that may come out. */
  readonly maxBytes: number;
  /** The directory inside that is wanted. */
  readonly directory: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Stores what an archive holds, by the function of its own digest: tar as it is or compressed by gzip, zstd, xz or bzip2, and zip; the bytes say
 * which, not the name. The same archive has the same root directory each time.
 * A crash, or an error in the middle, leaves blobs that nothing refers to, as a push that breaks off does.
 * Errors: `failed-precondition` for what is no archive, or one that cannot be taken as it is; `not-found` where the directory is not in it;
 * `exhausted`; the signal's reason.
 */
export async function unpack(archive: Blob, options: UnpackOptions): Promise<Digest> {
  const { blobs, staging, directory, signal } = options;
  const sink = new BlobSink(archive.digest.function, blobs, staging);
  const tree = new TreeBuilder();
  const budget = new Budget(archive.digest.size, options.maxBytes, signal);
  try {
    const { format, entries } = await open(archive, budget, signal);
    for await (const entry of entries) {
      signal.throwIfAborted();
      const replaced = await enter(entry, tree, sink, format === "zip" ? budget : undefined);
      // In a tar archive the later one counts, as when one is appended to; a zip archive lists each file once.
      if (replaced && format === "zip") throw badArchive(`${showBytes(entry.path)} is in it twice`);
    }
    if (!tree.enter(directory)) {
      throw new StillageError(
        "not-found",
        `there is no directory ${JSON.stringify(directory.join("/"))} in the archive`,
      );
    }
    const root = await tree.store(sink, signal);
    await sink.settled();
    return root;
  } catch (error) {
    await sink.settled().catch(() => {});
    throw error;
  }
}

async function open(
  archive: Blob,
  budget: Budget,
  signal: AbortSignal,
): Promise<{ format: "tar" | "zip"; entries: AsyncIterable<ArchiveEntry> }> {
  const { size } = archive.digest;
  const head = Buffer.alloc(Math.min(blockBytes, size));
  if (size > 0) await archive.read(head, 0);
  const mark = head.toString("latin1", 0, 4);
  if (mark === "PK\u0003\u0004" || mark === "PK\u0005\u0006")
    return { format: "zip", entries: readZip(archive, signal) };
  const compression = compressionOf(head);
  const source = new ByteSource(budget.spending(decompress(blobRange(archive, 0, size, signal), compression, signal)));
  return { format: "tar", entries: tarEntries(source) };
}

async function* tarEntries(source: ByteSource): AsyncGenerator<ArchiveEntry> {
  try {
    const first = await source.peek(blockBytes);
    if (first === undefined || !(isTarHeader(first) || isZero(first))) {
      throw new StillageError("failed-precondition", "the content is no archive: neither tar nor zip", {
        hint: "fetch it as a blob",
      });
    }
    yield* readTar(source);
  } finally {
    await source.close();
  }
}

/** Takes over one entry; true where it replaced another. `budget` pays for its content. */
async function enter(entry: ArchiveEntry, tree: TreeBuilder, sink: BlobSink, budget?: Budget): Promise<boolean> {
  const path = entryPath(entry.path);
  switch (entry.kind) {
    case "directory":
      tree.makeDirectory(path);
      return false;
    case "symlink":
      return tree.set(path, { kind: "symlink", target: utf8.encode(symlinkTarget(entry.target)) });
    case "hard link": {
      const node = tree.get(entryPath(entry.target));
      if (node !== undefined) return tree.set(path, node);
      throw badArchive(`the hard link ${showBytes(entry.path)} is to what is not in it, or not before it`);
    }
    case "file": {
      budget?.check(entry.size);
      const content = budget === undefined ? entry.content() : budget.spending(entry.content());
      const digest = await sink.addFile(entry.size, content);
      return tree.set(path, { kind: "file", digest, executable: entry.executable });
    }
  }
}

/** What may come out of an archive. */
class Budget {
  private readonly archiveBytes: number;
  private readonly maxBytes: number;
  private readonly signal: AbortSignal;
  private spent = 0;

  constructor(archiveBytes: number, maxBytes: number, signal: AbortSignal) {
    this.archiveBytes = archiveBytes;
    this.maxBytes = maxBytes;
    this.signal = signal;
  }

  async *spending(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.check(chunk.length);
      this.spent += chunk.length;
      yield chunk;
    }
  }

  /** Errors: `failed-precondition` where so many bytes more are too many; the signal's reason. */
  check(more: number): void {
    this.signal.throwIfAborted();
    const bytes = this.spent + more;
    if (bytes > this.maxBytes) throw badArchive(`it holds more than ${this.maxBytes} bytes`);
    if (bytes > unwatchedBytes && bytes > this.archiveBytes * maxRatio) {
      throw badArchive(`it holds over ${maxRatio} times the bytes that it has`);
    }
  }
}
