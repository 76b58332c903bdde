import { join } from "node:path";
import type { Digest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { Slices } from "../base/slices.ts";
import { inFile } from "../store/disk/digest-index.ts";
import { FilePaths } from "../store/disk/file-paths.ts";
import { indexHeaderLength } from "../store/disk/index-format.ts";
import type { OpenShelf } from "../store/disk/open-store.ts";
import { indexName, type Pack } from "../store/disk/pack.ts";
import { newPieceBuffer, PieceReader, type Toll } from "./piece-reader.ts";
import type { ScrubPosition } from "./scrub-state.ts";
import { blobsInRange, largeBlobs, rangeBytes } from "./stored-blobs.ts";
import { verifiedIndexLength } from "./verify-index.ts";
import { wrongBytes, wrongRecord } from "./verify-stored.ts";

/** A blob at its place, as the index has it: `place` and `offset` as `DigestIndex` says them. */
export interface Placed {
  readonly shelf: OpenShelf;
  readonly digest: Digest;
  readonly place: number;
  readonly offset: number;
  /** The pack's path, or the large blob's. */
  readonly path: string;
}

/** What looking at a blob has come to: `reason` says why it is not what it should be. */
export type Verdict =
  | { readonly kind: "whole" }
  | { readonly kind: "moved" }
  | { readonly kind: "rotten"; readonly reason: string }
  | { readonly kind: "unreadable"; readonly error: NodeJS.ErrnoException };

/** Told of what a walk comes by. */
export interface WalkVisitor {
  blob(blob: Placed, verdict: Verdict): Promise<void>;
  /** An index file that does not verify to the end that it was written to. */
  damagedIndex(path: string): void;
  /** All before this is done, and it was so many bytes of the store. */
  passed(position: ScrubPosition, bytes: number): Promise<void>;
}

/** Reads blobs as the index has them and says of each whether it is whole. One buffer, one blob at a time. */
export class ScrubWalk {
  private readonly buffer = newPieceBuffer();
  private readonly slices = new Slices();
  private readonly toll: Toll;

  constructor(toll: Toll) {
    this.toll = toll;
  }

  /** Reads what a shelf has from a position on. */
  async shelf(shelf: OpenShelf, key: string, from: ScrubPosition | undefined, visitor: WalkVisitor): Promise<void> {
    const start = from?.shelf === key ? from : { shelf: key, pack: 0, offset: 0, word: -1 };
    const packs = [...shelf.shelf.packs.bySlot].filter((pack) => pack.number >= start.pack);
    for (const pack of packs.sort((a, b) => a.number - b.number)) {
      await this.pack(
        shelf,
        pack,
        pack.number === start.pack ? start : { ...start, pack: pack.number, offset: 0 },
        visitor,
      );
    }
    await this.files(shelf, { ...start, pack: Number.MAX_SAFE_INTEGER, offset: 0 }, visitor);
  }

  /** Looks at one blob, in the middle of a walk as well: that has a buffer of its own. */
  async again(blob: Placed, buffer: Buffer = newPieceBuffer()): Promise<Verdict> {
    let reader: PieceReader | undefined;
    return this.verdict(blob, async () => {
      reader = await PieceReader.open(blob.path, buffer, this.toll);
      return reader;
    }).finally(() => reader?.close());
  }

  private async pack(shelf: OpenShelf, pack: Pack, start: ScrubPosition, visitor: WalkVisitor): Promise<void> {
    const { slices } = this;
    const { index } = shelf.shelf;
    let reader: PieceReader | undefined;
    try {
      for (let from = start.offset - (start.offset % rangeBytes); from < pack.end; from += rangeBytes) {
        const cells = await blobsInRange(index, pack.slot, from, slices);
        let done = Math.max(from, start.offset);
        for (const cell of cells) {
          if (slices.over) await slices.rest();
          const entry = cell - 1;
          if (entry < 0 || index.place(entry) !== pack.slot || index.offset(entry) < done) continue;
          const [digest, offset] = [index.digest(entry), index.offset(entry)];
          const blob: Placed = { shelf, digest, place: pack.slot, offset, path: pack.path };
          const verdict = await this.verdict(blob, async () => {
            reader ??= await PieceReader.open(pack.path, this.buffer, this.toll);
            return reader;
          });
          await visitor.blob(blob, verdict);
          await visitor.passed({ ...start, pack: pack.number, offset: offset + 1 }, offset + 1 - done);
          done = offset + 1;
        }
        const end = Math.min(from + rangeBytes, pack.end);
        await visitor.passed({ ...start, pack: pack.number, offset: end }, Math.max(0, end - done));
      }
    } finally {
      await reader?.close();
    }
    await this.indexFile(join(shelf.directory, "packs", indexName(pack.number)), pack.index, shelf, visitor);
  }

  private async files(shelf: OpenShelf, start: ScrubPosition, visitor: WalkVisitor): Promise<void> {
    const { index } = shelf.shelf;
    const paths = new FilePaths(shelf.directory);
    for (let byte = Math.max(0, start.word) >>> 24; byte < 256; byte++) {
      for (const entry of await largeBlobs(index, byte, start.word, this.slices)) {
        if (index.place(entry) !== inFile) continue;
        const [digest, serial] = [index.digest(entry), index.offset(entry)];
        const blob: Placed = { shelf, digest, place: inFile, offset: serial, path: paths.settled({ digest, serial }) };
        const verdict = await this.again(blob, this.buffer);
        await visitor.blob(blob, verdict);
        const word = Number.parseInt(digest.hash.slice(0, 8), 16);
        await visitor.passed({ ...start, word }, digest.size);
      }
    }
  }

  private async verdict(blob: Placed, open: () => Promise<PieceReader>): Promise<Verdict> {
    const { digest, place, offset } = blob;
    try {
      const reader = await open();
      const look = (): Promise<string | undefined> =>
        place === inFile
          ? wrongBytes(reader, 0, digest, this.slices)
          : wrongRecord(reader, offset, digest, this.slices);
      if ((await look()) === undefined) return { kind: "whole" };
      if (!isThere(blob)) return { kind: "moved" };
      reader.forget(); // what was read wrong on its way here is right the next time
      const reason = await look();
      return reason === undefined ? { kind: "whole" } : { kind: "rotten", reason };
    } catch (error) {
      if (!isThere(blob)) return { kind: "moved" };
      const failure = error as NodeJS.ErrnoException;
      if (failure.code === "ENOENT" && place === inFile) return { kind: "rotten", reason: "its file is gone" };
      return { kind: "unreadable", error: failure };
    }
  }

  /** Reads an index file up to where it was when this began; nothing before that is written again, but the whole may be replaced. */
  private async indexFile(
    path: string,
    log: { readonly length: number },
    { shelf }: OpenShelf,
    visitor: WalkVisitor,
  ): Promise<void> {
    const { length } = log;
    if (length <= indexHeaderLength) return;
    let verified = -1;
    try {
      const reader = await PieceReader.open(path, this.buffer, this.toll);
      try {
        verified = await verifiedIndexLength(reader, length, shelf.index.function, this.slices);
      } finally {
        await reader.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    }
    if (verified !== length && log.length === length) visitor.damagedIndex(path);
  }
}

/** Whether the index still leads there. */
export function isThere({ shelf, digest, place, offset }: Placed): boolean {
  const { index } = shelf.shelf;
  const entry = index.findSized(DigestList.of(digest).words, 0, digest.size);
  return entry >= 0 && index.place(entry) === place && index.offset(entry) === offset;
}
