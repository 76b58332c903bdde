import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isEmptyBlob, showDigest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { encodeEntry, headLength, headMatches } from "../batch-entry.ts";
import type { BatchRead, Blob, BlobReader } from "../blob-store.ts";
import { DigestIndex, inFile } from "./digest-index.ts";
import { FilePaths } from "./file-paths.ts";
import { isPresent, readBlocks, recordWords } from "./index-format.ts";
import { indexName, numberIn, packHeaderLength, packName } from "./pack.ts";
import { scanPack } from "./pack-scan.ts";

/**
 * The blobs of one tenant and function as they lie on the disk, while another process may be writing to them. That is safe because no byte of a
 * pack is ever written again, index files end in blocks that verify, and files have their names only when they are whole: what comes
 * later is not seen, and what goes is missing once it is asked for. What stands where the index says is checked before it is read. Of a store
 * without durability, large blobs are seen some moments late.
 */
export class ReadOnlyShelf implements BlobReader {
  private readonly function: DigestFunction;
  private readonly paths: FilePaths;
  private readonly folder: string;
  private readonly index: DigestIndex;
  /** Paths of packs by their place in the index. */
  private readonly packs: string[] = [];

  /** `directory` is the shelf's own; it need not be there. */
  constructor(directory: string, fn: DigestFunction) {
    this.function = fn;
    this.paths = new FilePaths(directory);
    this.folder = join(directory, "packs");
    this.index = new DigestIndex(fn, [1, 1], 0); // nobody chooses hashes for one who only looks
    for (const name of existsSync(this.folder) ? readdirSync(this.folder).sort() : []) {
      const found = numberIn(name);
      if (found?.isPack) this.loadPack(found.number);
    }
    this.loadFiles();
  }

  missing(digests: DigestList): number[] {
    const absent: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const size = digests.sizes[i] as number;
      if (size > 0 && this.index.findSized(digests.words, i * this.function.words, size) < 0) absent.push(i);
    }
    return absent;
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    if (hash === fn.emptyHash) return 0;
    const entry = this.index.find(DigestList.of({ function: fn, hash, size: 1 }).words, 0);
    return entry < 0 ? undefined : this.index.size(entry);
  }

  open(digest: Digest): Blob | undefined {
    if (isEmptyBlob(digest)) return { digest, read: () => {}, close: () => {} };
    const digests = DigestList.of(digest);
    const entry = this.index.findSized(digests.words, 0, digest.size);
    if (entry < 0) return undefined;
    const [place, offset] = [this.index.place(entry), this.index.offset(entry)];
    return place === inFile
      ? this.openFile(digest, offset)
      : this.openPacked(digests, this.packs[place] as string, offset);
  }

  readBatch(digests: DigestList): BatchRead {
    const parts: Uint8Array[] = [];
    const missing: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const bytes = this.readWhole(digests.at(i));
      if (bytes === undefined) missing.push(i);
      else parts.push(encodeEntry(digests, i, bytes));
    }
    return { parts, bytes: parts.reduce((sum, { length }) => sum + length, 0), missing, release: () => {} };
  }

  private readWhole(digest: Digest): Uint8Array | undefined {
    const blob = this.open(digest);
    if (blob === undefined) return undefined;
    try {
      const bytes = new Uint8Array(digest.size);
      void blob.read(bytes, 0);
      return bytes;
    } finally {
      blob.close();
    }
  }

  private openFile(digest: Digest, serial: number): Blob | undefined {
    const file = { digest, serial };
    // It may be on its way from one to the other.
    for (const path of [this.paths.settled(file), this.paths.arriving(file), this.paths.settled(file)]) {
      const fd = openIfThere(path);
      if (fd === undefined) continue;
      if (fstatSync(fd).size === digest.size) return blobIn(digest, fd, 0);
      closeSync(fd);
    }
    return undefined;
  }

  private openPacked(digests: DigestList, path: string, offset: number): Blob | undefined {
    const fd = openIfThere(path);
    if (fd === undefined) return undefined;
    const digest = digests.at(0);
    const head = Buffer.alloc(headLength(this.function, digest.size));
    const count = readSync(fd, head, 0, head.length, offset);
    if (count === head.length && headMatches(head, 0, this.function, digests.words, 0, digest.size)) {
      return blobIn(digest, fd, offset + head.length);
    }
    closeSync(fd);
    return undefined;
  }

  /** Takes what the index file of a pack lists, and finds by their bytes the records behind that. */
  private loadPack(number: number): void {
    const slot = this.packs.push(join(this.folder, packName(number))) - 1;
    let covered = packHeaderLength;
    const { function: fn, index } = this;
    const width = recordWords(fn);
    this.eachBlock(join(this.folder, indexName(number)), (records, until) => {
      for (let at = 0; at < records.length; at += width) {
        const [offset, size] = [records[at + fn.words] as number, records[at + fn.words + 1] as number];
        this.take(records, at, { slot, offset, size }, isPresent(records, at, fn));
      }
      covered = Math.max(covered, until);
    });
    const fd = openIfThere(this.packs[slot] as string);
    if (fd === undefined) return;
    try {
      scanPack(fd, covered, fstatSync(fd).size, fn, (digests, offset) => {
        const size = digests.sizes[0] as number;
        if (index.find(digests.words, 0) < 0) this.take(digests.words, 0, { slot, offset, size }, true);
      });
    } finally {
      closeSync(fd);
    }
  }

  private loadFiles(): void {
    const { function: fn } = this;
    const width = recordWords(fn);
    this.eachBlock(this.paths.journal, (records) => {
      for (let at = 0; at < records.length; at += width) {
        const field = at + fn.words;
        const size = (records[field + 1] as number) + ((records[field + 2] as number) & 0xffffff) * 0x100000000;
        this.take(records, at, { slot: inFile, offset: records[field] as number, size }, isPresent(records, at, fn));
      }
    });
  }

  /** A blob is, or is no longer, at a place. Of two places in packs the first counts, of two files the last. */
  private take(
    words: Uint32Array,
    word: number,
    at: { slot: number; offset: number; size: number },
    there: boolean,
  ): void {
    const { index } = this;
    const entry = index.find(words, word);
    const same = entry >= 0 && index.place(entry) === at.slot && index.offset(entry) === at.offset;
    if (there ? entry >= 0 && at.slot === inFile && index.place(entry) === inFile : same) index.remove(entry);
    if (there && index.find(words, word) < 0) index.insert(words, word, at.size, at.slot, at.offset, 0);
  }

  private eachBlock(path: string, take: (records: Uint32Array, covered: number) => void): void {
    const fd = openIfThere(path);
    if (fd === undefined) return;
    try {
      for (const { records, covered } of readBlocks(fd, fstatSync(fd).size, this.function)) take(records, covered);
    } finally {
      closeSync(fd);
    }
  }
}

function blobIn(digest: Digest, fd: number, start: number): Blob {
  let open = true;
  return {
    digest,
    read: (buffer, position) => {
      const count = readSync(fd, buffer, 0, buffer.length, start + position);
      if (count < buffer.length)
        throw new StillageError("corrupt", `the file of ${showDigest(digest)} ends before the blob does`);
    },
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fromFileSystem(error, `cannot read ${path}`);
  }
}
