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
import { blobsInRange, blobsOfPacks, firstWord, type GatheredPack, largeBlobs, rangeBytes } from "./stored-blobs.ts";
import { isShortage } from "./unreadable.ts";
import { verifiedIndexLength } from "./verify-index.ts";
import { wrongBytes, wrongRecord } from "./verify-stored.ts";

/** A blob at its place, as the index has it: `place` and `offset` as `DigestIndex` says them. */
export interface Placed {
  readonly shelf: OpenShelf;
  readonly digest: Digest;
  readonly place: number;
  readonly offset: number;
  /** A place may be another pack's by now. */
  readonly pack: Pack | undefined;
  /** The pack's path, or the large blob's where it is among the files. */
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

/**
 * Reads blobs as the index has them and says of each whether it is whole. One buffer, one blob at a time. Where the process is out of descriptors or memory, nothing
 * can be said of a blob: that is thrown, for the walk to go on there later.
 */
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
    const packs = [...shelf.shelf.packs.all()].filter((pack) => pack.number >= start.pack);
    packs.sort((a, b) => a.number - b.number);
    for await (const gathered of blobsOfPacks(shelf.shelf.index, packs, this.slices)) {
      const { number } = gathered.pack;
      await this.pack(shelf, gathered, number === start.pack ? start : { ...start, pack: number, offset: 0 }, visitor);
    }
    await this.files(shelf, { ...start, pack: Number.MAX_SAFE_INTEGER, offset: 0 }, visitor);
  }

  /** Looks at one blob, in the middle of a walk as well: that has a buffer of its own. */
  async again(blob: Placed, buffer: Buffer = newPieceBuffer()): Promise<Verdict> {
    let reader: PieceReader | undefined;
    const verdict = this.verdict(blob, async () => {
      reader = await this.openAnywhere(blob, buffer);
      return reader;
    });
    return verdict.finally(() => reader?.close());
  }

  /** Opens what a blob lies in; without durability, a large one may be on its way among the files. */
  private async openAnywhere(blob: Placed, buffer: Buffer): Promise<PieceReader> {
    const { digest, place, offset: serial, path, shelf } = blob;
    const open = (at: string): Promise<PieceReader> => PieceReader.open(at, buffer, this.toll);
    if (place !== inFile) return open(path);
    const arriving = new FilePaths(shelf.directory).arriving({ digest, serial });
    return open(path)
      .catch((error) => (isAbsence(error) ? open(arriving) : Promise.reject(error)))
      .catch((error) => (isAbsence(error) ? open(path) : Promise.reject(error)));
  }

  /** A pack that is deleted meanwhile is left: what was in it and is of use lies in another one. */
  private async pack(
    shelf: OpenShelf,
    gathered: GatheredPack,
    start: ScrubPosition,
    visitor: WalkVisitor,
  ): Promise<void> {
    const { slices } = this;
    const { pack } = gathered;
    const { index, packs } = shelf.shelf;
    const isGone = (): boolean => packs.at(pack.slot) !== pack;
    let reader: PieceReader | undefined;
    try {
      for (let from = start.offset - (start.offset % rangeBytes); from < pack.end; from += rangeBytes) {
        if (isGone()) return;
        const cells = await blobsInRange(index, gathered, from, slices);
        let done = Math.max(from, start.offset);
        for (const cell of cells) {
          if (slices.over) await slices.rest();
          const entry = cell - 1;
          if (entry < 0) continue;
          if (isGone()) return;
          if (index.place(entry) !== pack.slot || index.offset(entry) < done) continue;
          const [digest, offset] = [index.digest(entry), index.offset(entry)];
          const blob: Placed = { shelf, digest, place: pack.slot, offset, pack, path: pack.path };
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
    const path = join(shelf.directory, "packs", indexName(pack.number));
    // What was read wrong on its way here, or was just being replaced, is right the next time.
    const isDamaged = async (): Promise<boolean> => !isGone() && (await this.isDamagedIndex(path, pack.index, shelf));
    if ((await isDamaged()) && (await isDamaged()) && !isGone()) visitor.damagedIndex(path);
  }

  private async files(shelf: OpenShelf, start: ScrubPosition, visitor: WalkVisitor): Promise<void> {
    const { index } = shelf.shelf;
    const paths = new FilePaths(shelf.directory);
    for await (const entries of largeBlobs(index, start.word, this.slices)) {
      const byte = firstWord(index, entries[0] as number) >>> 24;
      for (const entry of entries) {
        const word = firstWord(index, entry);
        if (index.place(entry) !== inFile || word >>> 24 !== byte) continue;
        const [digest, serial] = [index.digest(entry), index.offset(entry)];
        const path = paths.settled({ digest, serial });
        const blob: Placed = { shelf, digest, place: inFile, offset: serial, pack: undefined, path };
        const verdict = await this.again(blob, this.buffer);
        await visitor.blob(blob, verdict);
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
      const failure = error as NodeJS.ErrnoException;
      if (failure.syscall === undefined || isShortage(failure)) throw error;
      if (isAbsence(failure) && place === inFile) {
        const isGone = await blob.shelf.shelf.files.isGone({ digest, serial: offset });
        return isGone && isThere(blob) ? { kind: "rotten", reason: "its file is gone" } : { kind: "moved" };
      }
      if (!isThere(blob)) return { kind: "moved" };
      return { kind: "unreadable", error: failure };
    }
  }

  /** Reads an index file up to where it was when this began; nothing before that is written again, but the whole may be replaced. */
  private async isDamagedIndex(path: string, log: { readonly length: number }, { shelf }: OpenShelf): Promise<boolean> {
    const { length } = log;
    if (length <= indexHeaderLength) return false;
    let verified = -1;
    try {
      const reader = await PieceReader.open(path, this.buffer, this.toll);
      try {
        verified = await verifiedIndexLength(reader, length, shelf.index.function, this.slices);
      } finally {
        await reader.close();
      }
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.syscall === undefined || isShortage(failure)) throw error;
    }
    return verified !== length && log.length === length;
  }
}

function isAbsence(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

/** Whether the index still leads there. */
export function isThere({ shelf, digest, place, offset, pack }: Placed): boolean {
  const { index, packs } = shelf.shelf;
  const entry = index.findSized(DigestList.of(digest).words, 0, digest.size);
  if (entry < 0 || index.place(entry) !== place || index.offset(entry) !== offset) return false;
  return pack === undefined || packs.at(place) === pack;
}
