import type { Digest } from "../../base/digest.ts";
import { type DigestFunction, sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { LruMap } from "../../base/lru-map.ts";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import { gather } from "../../ostree/archive/put-foreign.ts";
import { maxMetadataBytes } from "../../ostree/metadata-limit.ts";
import { type Checksum, type ObjectType, objectPath } from "../../ostree/object-name.ts";
import { encodeEntry } from "../../store/batch-entry.ts";
import type { BatchRead, Blob, BlobReader } from "../../store/blob-store.ts";
import { KeptBytes } from "./kept-bytes.ts";
import { StreamedObject, wholeObject } from "./streamed-object.ts";

/** Of a larger file object only the beginning is kept: what its header says. */
const keptFileBytes = 64 << 10;

/** Bytes of objects that are kept for who asks again: views come back to directories and headers. */
const keptBytes = 32 << 20;

/** Sizes that are remembered, some 200 bytes each. */
const maxSizes = 50_000;

const askedAtOnce = 8;

/** Which objects may have a checksum that a view asks for as a hash of SHA-256, the likeliest first. */
const metadataTypes = ["dirtree", "commit", "dirmeta"] as const;

/** What was read of a file object: all of it, or how it begins. */
interface FileStart {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
}

/**
 * The objects of an archive repository as blobs, for the views of artifacts: metadata by SHA-256, file objects by the function `ostree`. Whatever is given is verified, a large file
 * object with its last byte. Memory: what is kept, and one directory or the window of one file for each that reads.
 */
export class ObjectBlobs implements BlobReader {
  private readonly source: ObjectSource;
  private readonly kept = new KeptBytes<FileStart>(keptBytes, ({ bytes }) => bytes.length);
  private readonly sizes = new LruMap<string, number>(maxSizes);
  private readonly asking = new Map<string, Promise<FileStart | undefined>>();

  constructor(source: ObjectSource) {
    this.source = source;
  }

  async missing(digests: DigestList): Promise<number[]> {
    const sizes = await this.sizesOf(digests);
    return [...sizes.keys()].filter((i) => (sizes[i] ?? -1) < 0);
  }

  async sizeOf(fn: DigestFunction, hash: string): Promise<number | undefined> {
    const known = this.sizes.get(hash);
    if (known !== undefined) return known;
    const start = await this.start(fn, hash);
    const size = start?.whole === false ? await this.sizeOfFile(hash) : start?.bytes.length;
    if (size !== undefined) this.sizes.set(hash, size);
    return size;
  }

  async sizesOf(hashes: DigestList): Promise<Float64Array> {
    const sizes = new Float64Array(hashes.length).fill(-1);
    await inParallel(sizes.keys(), askedAtOnce, async (i) => {
      const { hash } = hashes.at(i);
      const known = this.sizes.get(hash);
      // Of files nothing is wanted but the size, so that nothing else is asked for.
      const size = known ?? (await (hashes.function === sha256 ? this.sizeOf(sha256, hash) : this.sizeOfFile(hash)));
      if (size === undefined) return;
      this.sizes.set(hash, size);
      sizes[i] = size;
    });
    return sizes;
  }

  async open(digest: Digest): Promise<Blob | undefined> {
    if (digest.size === 0) return wholeObject(digest, new Uint8Array());
    const start = await this.start(digest.function, digest.hash);
    if (start === undefined) return undefined;
    if (start.whole) return start.bytes.length === digest.size ? wholeObject(digest, start.bytes) : undefined;
    if ((await this.sizeOf(digest.function, digest.hash)) !== digest.size) return undefined;
    const path = objectPath(digest.hash, "file");
    return new StreamedObject(digest, start.bytes, () => this.source.get(path, digest.size));
  }

  async readBatch(digests: DigestList): Promise<BatchRead> {
    const entries = new Array<Uint8Array | undefined>(digests.length);
    await inParallel(entries.keys(), askedAtOnce, async (i) => {
      const digest = digests.at(i);
      const blob = await this.open(digest);
      if (blob === undefined) return;
      try {
        const bytes = new Uint8Array(digest.size);
        await blob.read(bytes, 0);
        entries[i] = encodeEntry(DigestList.of(digest), 0, bytes);
      } finally {
        blob.close();
      }
    });
    const parts = entries.filter((each) => each !== undefined);
    const missing = [...entries.keys()].filter((i) => entries[i] === undefined);
    return { parts, bytes: parts.reduce((sum, { length }) => sum + length, 0), missing, release: () => {} };
  }

  /** The bytes of an object, or of a large file how it begins. Whoever asks for what is on its way waits for that. */
  private start(fn: DigestFunction, hash: Checksum): Promise<FileStart | undefined> {
    const key = `${fn.name} ${hash}`;
    const kept = this.kept.get(key);
    if (kept !== undefined) return Promise.resolve(kept);
    const before = this.asking.get(key);
    if (before !== undefined) return before;
    const asked = (fn === sha256 ? this.readMetadata(hash) : this.readFile(hash))
      .then((start) => {
        if (start !== undefined) this.kept.set(key, start);
        return start;
      })
      .finally(() => this.asking.delete(key));
    this.asking.set(key, asked);
    return asked;
  }

  /** Some web servers have something under every name, so what is none of one type may still be one of another. */
  private async readMetadata(hash: Checksum): Promise<FileStart | undefined> {
    let wrong: ObjectType | undefined;
    for (const type of metadataTypes) {
      const content = await this.source.get(objectPath(hash, type), maxMetadataBytes);
      if (content === undefined) continue;
      const bytes = await gather(content, maxMetadataBytes);
      if (hashOf(sha256, bytes) === hash) return { bytes, whole: true };
      wrong = type;
    }
    if (wrong !== undefined) throw damaged(hash, wrong);
    return undefined;
  }

  private async readFile(hash: Checksum): Promise<FileStart | undefined> {
    const content = await this.source.get(objectPath(hash, "file"), Number.MAX_SAFE_INTEGER);
    if (content === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of content) {
      pieces.push(Uint8Array.from(piece));
      length += piece.length;
      if (length > keptFileBytes) return { bytes: Buffer.concat(pieces), whole: false };
    }
    const bytes = Buffer.concat(pieces);
    await StreamedObject.verify(hash, bytes);
    return { bytes, whole: true };
  }

  /** Some servers do not tell a size beforehand; then the object is read to its end for it. */
  private async sizeOfFile(hash: Checksum): Promise<number | undefined> {
    const path = objectPath(hash, "file");
    const told = await this.source.size?.(path);
    if (told !== undefined) return told;
    const content = await this.source.get(path, Number.MAX_SAFE_INTEGER);
    if (content === undefined) return undefined;
    let size = 0;
    for await (const piece of content) size += piece.length;
    return size;
  }
}

/** An object whose bytes are not those of its name. */
export function damaged(hash: Checksum, type: ObjectType): StillageError {
  return new StillageError("corrupt", `the ${type} ${hash} has other bytes than its checksum says`);
}
