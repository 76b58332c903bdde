import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type { DigestList } from "../base/digest-list.ts";
import { readMessage } from "../cache/read-message.ts";
import { encodeEntry } from "../store/batch-entry.ts";
import type { BatchRead, Blob, BlobBatch, BlobStore, Upload } from "../store/blob-store.ts";
import { maxPackedSize } from "../store/disk/pack.ts";
import type { Intake } from "./intake.ts";
import { inLanes } from "./lanes.ts";

/** Blobs of the old server that are read at the same time. */
const lanes = 8;

/**
 * A store that takes from an old server whatever it is asked for and does not have. So the rule of what a name needs, asking what is there,
 * brings all of it in, in the order in which clients ask: what is pulled together lies together.
 */
export class TakingStore implements BlobStore {
  private readonly own: BlobStore;
  private readonly intake: Intake;
  private readonly dryRun: boolean;

  constructor(own: BlobStore, intake: Intake, dryRun: boolean) {
    this.own = own;
    this.intake = intake;
    this.dryRun = dryRun;
  }

  async missing(digests: DigestList): Promise<number[]> {
    const missing: number[] = [];
    await inLanes(lanes, await this.own.missing(digests), async (i) => {
      if (!(await this.intake.take(digests.at(i)))) missing.push(i);
    });
    return missing.sort((a, b) => a - b);
  }

  async sizeOf(fn: DigestFunction, hash: string): Promise<number | undefined> {
    return (await this.own.sizeOf(fn, hash)) ?? this.intake.takeHash(fn, hash);
  }

  async sizesOf(hashes: DigestList): Promise<Float64Array> {
    const sizes = await this.own.sizesOf(hashes);
    // A tree may have one file in many places.
    const absent = new Map<string, number[]>();
    for (const [i, size] of sizes.entries()) {
      if (size !== -1) continue;
      const { hash } = hashes.at(i);
      const positions = absent.get(hash);
      if (positions === undefined) absent.set(hash, [i]);
      else positions.push(i);
    }
    await inLanes(lanes, [...absent], async ([hash, positions]) => {
      const size = (await this.intake.takeHash(hashes.function, hash)) ?? -1;
      for (const i of positions) sizes[i] = size;
    });
    return sizes;
  }

  async open(digest: Digest): Promise<Blob | undefined> {
    const own = await this.own.open(digest);
    if (own !== undefined) return own;
    const bytes = await this.bytes(digest);
    if (bytes === undefined) return this.own.open(digest);
    const read = (buffer: Uint8Array, at: number): void => buffer.set(bytes.subarray(at, at + buffer.length));
    return { digest, read, close: () => {} };
  }

  async readBatch(digests: DigestList): Promise<BatchRead> {
    const absent = await this.own.missing(digests);
    if (absent.length === 0) return this.own.readBatch(digests);
    const taken = new Map<number, Uint8Array | undefined>();
    await inLanes(lanes, absent, async (i) => void taken.set(i, await this.bytes(digests.at(i))));
    const parts: Uint8Array[] = [];
    const missing: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      const bytes = taken.get(i) ?? (await readMessage(this.own, digests.at(i)));
      if (bytes === undefined) missing.push(i);
      else parts.push(encodeEntry(digests, i, bytes));
    }
    return { parts, bytes: parts.reduce((sum, { length }) => sum + length, 0), missing, release: () => {} };
  }

  put(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.own.put(digest, bytes);
  }

  putBatch(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
    return this.own.putBatch(batch);
  }

  upload(digest: Digest): Promise<Upload> {
    return this.own.upload(digest);
  }

  /** What is taken now; a large blob is in the store afterwards, and `undefined` here. */
  private async bytes(digest: Digest): Promise<Uint8Array | undefined> {
    if (digest.size <= maxPackedSize || this.dryRun) return this.intake.bytes(digest);
    await this.intake.take(digest);
    return undefined;
  }
}
