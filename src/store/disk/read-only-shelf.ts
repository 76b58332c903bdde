import { closeSync, fstatSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isEmptyBlob, showDigest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { encodeEntry, headLength, headMatches } from "../batch-entry.ts";
import type { BatchRead, Blob, BlobReader } from "../blob-store.ts";
import { inFile } from "./digest-index.ts";
import { FilePaths } from "./file-paths.ts";
import { openIfThere, ReadOnlyIndex } from "./read-only-index.ts";

/**
 * The blobs of one tenant and function as they lie on the disk, while another process may be writing to them. That is safe because no byte of a
 * pack is ever written again, index files end in blocks that verify, and files have their names only when they are whole: what comes
 * later is not seen, and what goes is missing once it is asked for. What stands where the index says is checked before it is read; what is not
 * there any more is looked up once more, as packs may have been compacted. Of a store without durability, large blobs are seen some moments late.
 */
export class ReadOnlyShelf implements BlobReader {
  private readonly function: DigestFunction;
  private readonly paths: FilePaths;
  private readonly folder: string;
  private found: ReadOnlyIndex;

  /** `directory` is the shelf's own; it need not be there. */
  constructor(directory: string, fn: DigestFunction) {
    this.function = fn;
    this.paths = new FilePaths(directory);
    this.folder = join(directory, "packs");
    this.found = this.look();
  }

  missing(digests: DigestList): number[] {
    const absent = this.absent(digests);
    return absent.length > 0 && this.lookAgain(this.found.hasOtherPacks) ? this.absent(digests) : absent;
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    if (hash === fn.emptyHash) return 0;
    const { words } = DigestList.of({ function: fn, hash, size: 1 });
    const find = (): number => this.found.index.find(words, 0);
    let entry = find();
    if (entry < 0 && this.lookAgain(this.found.hasOtherPacks)) entry = find();
    return entry < 0 ? undefined : this.found.index.size(entry);
  }

  sizesOf(hashes: DigestList): Float64Array {
    const look = (): Float64Array => {
      const { index } = this.found;
      return Float64Array.from({ length: hashes.length }, (_, i) => {
        const entry = index.find(hashes.words, i * this.function.words);
        return entry < 0 ? -1 : index.size(entry);
      });
    };
    const sizes = look();
    return sizes.includes(-1) && this.lookAgain(this.found.hasOtherPacks) ? look() : sizes;
  }

  open(digest: Digest): Blob | undefined {
    if (isEmptyBlob(digest)) return { digest, read: () => {}, close: () => {} };
    const digests = DigestList.of(digest);
    const opened = this.openFound(digests);
    if (opened !== undefined) return opened;
    const isListed = this.found.index.findSized(digests.words, 0, digest.size) >= 0;
    const mayHaveMoved = isListed ? this.found.isOutdated : this.found.hasOtherPacks;
    return this.lookAgain(mayHaveMoved) ? this.openFound(digests) : undefined;
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

  private look(): ReadOnlyIndex {
    return new ReadOnlyIndex(this.folder, this.paths, this.function);
  }

  /** Reads all of the index anew, if it `helps`, and says whether it did. */
  private lookAgain(helps: boolean): boolean {
    if (helps) this.found = this.look();
    return helps;
  }

  private absent(digests: DigestList): number[] {
    const absent: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const size = digests.sizes[i] as number;
      const { index } = this.found;
      if (size === 0 && this.function.emptyHash !== undefined) continue;
      if (index.findSized(digests.words, i * this.function.words, size) < 0) absent.push(i);
    }
    return absent;
  }

  /** Opens a blob where the index says that it is. */
  private openFound(digests: DigestList): Blob | undefined {
    const { index, packs } = this.found;
    const digest = digests.at(0);
    const entry = index.findSized(digests.words, 0, digest.size);
    if (entry < 0) return undefined;
    const [place, offset] = [index.place(entry), index.offset(entry)];
    return place === inFile ? this.openFile(digest, offset) : this.openPacked(digests, packs[place] as string, offset);
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
    let isThere = false;
    try {
      const count = readSync(fd, head, 0, head.length, offset);
      isThere = count === head.length && headMatches(head, 0, this.function, digests.words, 0, digest.size);
    } finally {
      if (!isThere) closeSync(fd);
    }
    return isThere ? blobIn(digest, fd, offset + head.length) : undefined;
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
