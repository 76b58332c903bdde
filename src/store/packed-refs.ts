import { Slices } from "../base/slices.ts";
import type { NamedRef, RefListing } from "./ref-store.ts";

/** The refs of a listing in a few arrays, which go to another thread at once, however many they are. */
export interface PackedRefs {
  /** Names in UTF-8 and messages, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For each ref where its name ends in `bytes`, and its message. */
  readonly ends: Float64Array<ArrayBuffer>;
  /** Milliseconds since 1970; infinite: never. */
  readonly expires: Float64Array<ArrayBuffer>;
}

export interface PackedListing extends PackedRefs {
  readonly version: number;
}

const firstBytes = 64 << 10;
const firstRefs = 256;

/** Refs that are packed or unpacked between two looks at the clock. */
const refsAtOnce = 64;

/** Puts refs into arrays that grow. */
export class RefPacker {
  private bytes = Buffer.alloc(firstBytes);
  private ends = new Float64Array(2 * firstRefs);
  private expires = new Float64Array(firstRefs);
  private at = 0;
  private count = 0;

  add(name: string, message: Uint8Array, expires: number | undefined): void {
    this.reserve(3 * name.length + message.length);
    this.at += this.bytes.write(name, this.at, "utf8");
    this.ends[2 * this.count] = this.at;
    this.bytes.set(message, this.at);
    this.at += message.length;
    this.ends[2 * this.count + 1] = this.at;
    this.expires[this.count++] = expires ?? Number.POSITIVE_INFINITY;
  }

  /** What was added. */
  take(): PackedRefs {
    return {
      bytes: new Uint8Array(this.bytes.subarray(0, this.at)),
      ends: this.ends.slice(0, 2 * this.count),
      expires: this.expires.slice(0, this.count),
    };
  }

  private reserve(more: number): void {
    if (this.at + more > this.bytes.length) {
      const bytes = Buffer.alloc(Math.max(2 * this.bytes.length, this.at + more));
      bytes.set(this.bytes.subarray(0, this.at));
      this.bytes = bytes;
    }
    if (this.count < this.expires.length) return;
    const [ends, expires] = [new Float64Array(4 * this.count), new Float64Array(2 * this.count)];
    ends.set(this.ends);
    expires.set(this.expires);
    this.ends = ends;
    this.expires = expires;
  }
}

/** What listings were unpacked from, or packed to: whoever hands one on need not do it again. */
const packedOf = new WeakMap<RefListing, PackedListing>();

/** A listing as arrays. They are shared by all who ask. */
export async function packListing(listing: RefListing): Promise<PackedListing> {
  const known = packedOf.get(listing);
  if (known !== undefined) return known;
  const slices = new Slices();
  const packer = new RefPacker();
  for (const [i, { name, message, expires }] of listing.refs.entries()) {
    if (i % refsAtOnce === 0 && slices.over) await slices.rest();
    packer.add(name, message, expires);
  }
  const packed = { version: listing.version, ...packer.take() };
  packedOf.set(listing, packed);
  return packed;
}

/** The listing in such arrays, of which its messages are views. */
export async function unpackListing(packed: PackedListing): Promise<RefListing> {
  const { version, bytes, ends, expires } = packed;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const slices = new Slices();
  const refs: NamedRef[] = [];
  for (let i = 0, at = 0; i < expires.length; i++) {
    if (i % refsAtOnce === 0 && slices.over) await slices.rest();
    const [nameEnd, end] = [ends[2 * i] as number, ends[2 * i + 1] as number];
    const expiry = expires[i] as number;
    refs.push({
      name: text.toString("utf8", at, nameEnd),
      message: bytes.subarray(nameEnd, end),
      expires: expiry === Number.POSITIVE_INFINITY ? undefined : expiry,
    });
    at = end;
  }
  const listing = { version, refs };
  packedOf.set(listing, packed);
  return listing;
}
