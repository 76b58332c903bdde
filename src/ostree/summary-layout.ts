import { widthFor } from "../base/gvariant/offset-width.ts";
import { Slices } from "../base/slices.ts";

/** A ref in a summary, as every ref of a cache is: its commit, and when that was made. */
export interface SummaryRef {
  /** ASCII, as names of refs are. */
  readonly name: string;
  /** 32 bytes. */
  readonly commit: Uint8Array;
  /** Bytes of the commit object. Clients read no more than that of it. */
  readonly commitSize: number;
  /** In seconds since 1970. */
  readonly timestamp: number;
}

const timestampKey = Buffer.from("ostree.commit.timestamp\0");

/** `{"ostree.commit.timestamp": <t>}` as `a{sv}`: 24 bytes of key, the number, the variant's NUL and type, the end of the key, the end of the entry. */
const metadataBytes = timestampKey.length + 8 + 2 + 1 + 1;

/** `(taya{sv})`: size, checksum, metadata, and where the checksum ends. */
const valueBytes = 8 + 32 + metadataBytes + 1;

/** Refs after which somebody looks whether the slice is over. */
const atOnce = 64;

/** The bytes of a ref's `(s(taya{sv}))`: the name with its NUL, padded to 8; the value; where the name ends. */
export function summaryRefBytes(name: string): number {
  const body = paddedTo8(name.length + 1) + valueBytes;
  return body + widthFor(body, 1);
}

/** Bytes of a summary at most, for refs whose `summaryRefBytes` add up to `bytes` with each rounded up to 8. */
export function summaryBytesAtMost(refs: number, bytes: number, metadata: number): number {
  return paddedTo8(bytes + 4 * refs) + metadata + 4;
}

/**
 * A summary (`(a(s(taya{sv}))a{sv})`, ostree-repo-summary) of many refs, which the general encoder would take long for: all have the same form, so it is known
 * where everything goes. `refs` by the bytes of their names; `metadata` an encoded `a{sv}`. Made in slices.
 */
export async function layOutSummary(refs: readonly SummaryRef[], metadata: Uint8Array): Promise<Uint8Array> {
  const slices = new Slices();
  const ends = new Uint32Array(refs.length);
  let end = 0;
  for (const [i, { name }] of refs.entries()) {
    end = paddedTo8(end) + summaryRefBytes(name);
    ends[i] = end;
    if (i % atOnce === 0 && slices.over) await slices.rest();
  }
  const width = widthFor(end, refs.length);
  const listEnd = end + width * refs.length;
  const body = paddedTo8(listEnd) + metadata.length;
  const topWidth = widthFor(body, 1);
  // Zeros are what padding is.
  const bytes = Buffer.alloc(body + topWidth);
  for (const [i, ref] of refs.entries()) {
    writeRef(bytes, i === 0 ? 0 : paddedTo8(ends[i - 1] as number), ends[i] as number, ref);
    bytes.writeUIntLE(ends[i] as number, end + i * width, width);
    if (i % atOnce === 0 && slices.over) await slices.rest();
  }
  bytes.set(metadata, paddedTo8(listEnd));
  bytes.writeUIntLE(listEnd, body, topWidth);
  return bytes;
}

function writeRef(
  bytes: Buffer,
  start: number,
  end: number,
  { name, commit, commitSize, timestamp }: SummaryRef,
): void {
  bytes.write(name, start, "latin1");
  const value = start + paddedTo8(name.length + 1);
  // The size is in the machine's order, which is this one everywhere; the time is in network order.
  bytes.writeBigUInt64LE(BigInt(commitSize), value);
  bytes.set(commit, value + 8);
  const metadata = value + 40;
  bytes.set(timestampKey, metadata);
  bytes.writeBigUInt64BE(BigInt(timestamp), metadata + 24);
  bytes[metadata + 33] = 0x74; // "t", behind the NUL
  bytes[metadata + 34] = timestampKey.length;
  bytes[metadata + 35] = metadataBytes - 1;
  bytes[metadata + 36] = 40;
  bytes.writeUIntLE(name.length + 1, value + valueBytes, end - value - valueBytes);
}

function paddedTo8(bytes: number): number {
  return (bytes + 7) & ~7;
}
