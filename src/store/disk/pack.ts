import { join } from "node:path";
import type { Digest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import { hashesAtOnce } from "../../base/hash.ts";
import type { IndexRecord } from "./index-format.ts";
import type { IndexLog } from "./index-log.ts";

/** Blobs up to this size lie in packs: larger ones gain nothing from neighbours, and would make a batch of one. */
export const maxPackedSize = 1 << 20;

/** Whether a blob may lie in a pack: whoever reads packs has to be able to verify what is there without others waiting for him. */
export function mayBePacked({ function: fn, size }: Digest, bytes: Uint8Array): boolean {
  return size <= maxPackedSize && hashesAtOnce(fn, bytes);
}

/** A pack that has reached this size is appended to no more: small enough to be copied when most of it is dead … */
const maxPackBytes = 256 << 20;

/** … and in a store with a quota, small enough that copying one takes a small part of that; but not so small that there are very many. */
const packsInQuota = 32;
const minPackBytes = 4 << 20;

/** The size of packs in a store of a quota, in bytes. */
export function packBytesFor(quota: number | undefined): number {
  if (quota === undefined) return maxPackBytes;
  return Math.min(maxPackBytes, Math.max(minPackBytes, Math.floor(quota / packsInQuota)));
}

export const packHeaderLength = 16;
const packMagic = "stillpak";
const packVersion = 1;

/** A record that waits for a sync of its pack: `end` is where what it is about ends there. */
export interface Unlisted {
  readonly record: IndexRecord;
  readonly end: number;
}

/** Who reads a pack. */
export interface PackReading {
  fd: number;
  /** Those that have the descriptor. */
  users: number;
  last: number;
  /** Those that are going to ask for it. */
  holders: number;
  /** Called when one of either leaves. */
  settled: (() => void) | undefined;
}

/** A file of many small blobs, with its index file beside it. */
export class Pack {
  readonly number: number;
  /** Its place in the index. */
  readonly slot: number;
  readonly path: string;
  readonly index: IndexLog;
  /** Where the next record goes: all before it is whole, and durable where the store is. */
  end = packHeaderLength;
  /** Bytes of records that the index leads to; the rest is dead. */
  live = 0;
  /** Bytes that the space has counted for the pack and its index file. */
  counted = 0;
  /** False once a sync of it has failed: what the disk has of a later one could not be known. */
  appendable = true;
  /** Without durability: what the index file does not list yet, in order. */
  readonly unlisted: Unlisted[] = [];
  /** A read of it has failed: it is not compacted until the next start. */
  unreadable = false;
  /** Its files are gone. */
  deleted = false;
  /** Kept by OpenPacks. */
  reading: PackReading = { fd: -1, users: 0, last: 0, holders: 0, settled: undefined };

  /** Bytes of records that nothing leads to. */
  get dead(): number {
    return this.end - packHeaderLength - this.live;
  }

  constructor(directory: string, number: number, slot: number, index: IndexLog) {
    this.number = number;
    this.slot = slot;
    this.path = join(directory, packName(number));
    this.index = index;
  }
}

/** `00000001.pack` */
export function packName(number: number): string {
  return `${String(number).padStart(8, "0")}.pack`;
}

/** `00000001.pack.gone`: a pack that is being deleted, and whose index file, if it is there, is to go, too. */
export const goneEnding = ".gone";

/** `00000001.idx` */
export function indexName(number: number): string {
  return `${String(number).padStart(8, "0")}.idx`;
}

/** The number in the name of a pack or its index. */
export function numberIn(name: string): { number: number; isPack: boolean } | undefined {
  const match = /^(\d{8,10})\.(pack|idx)$/.exec(name);
  return match ? { number: Number(match[1]), isPack: match[2] === "pack" } : undefined;
}

export function packHeader(fn: DigestFunction): Buffer {
  const header = Buffer.alloc(packHeaderLength);
  header.write(packMagic, "latin1");
  header.writeUInt32LE(packVersion, 8);
  header.writeUInt32LE(fn.value, 12);
  return header;
}
