import { type Digest, keyOfDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { BatchRead, Blob, BlobReader } from "../store/blob-store.ts";

/** Missing blobs that are remembered: enough to tell of. */
const maxNoted = 5;

/** The blobs of a tenant but for those that were found broken. Notes what was asked for and is not there. */
export class WholeBlobs implements BlobReader {
  /** The first that were missing since somebody emptied this. */
  readonly noted: Digest[] = [];
  private readonly blobs: BlobReader;
  private readonly broken: ReadonlySet<string>;

  /** `broken`: as `keyOfDigest` gives them. */
  constructor(blobs: BlobReader, broken: ReadonlySet<string>) {
    this.blobs = blobs;
    this.broken = broken;
  }

  async missing(digests: DigestList): Promise<number[]> {
    const missing = new Set(await this.blobs.missing(digests));
    if (this.broken.size > 0) for (let i = 0; i < digests.length; i++) if (this.isBroken(digests.at(i))) missing.add(i);
    const sorted = [...missing].sort((a, b) => a - b);
    for (const i of sorted.slice(0, maxNoted)) this.note(digests.at(i));
    return sorted;
  }

  sizeOf(fn: DigestFunction, hash: string): MaybePromise<number | undefined> {
    return this.blobs.sizeOf(fn, hash);
  }

  async sizesOf(hashes: DigestList): Promise<Float64Array> {
    const sizes = await this.blobs.sizesOf(hashes);
    for (let i = 0; i < hashes.length; i++) {
      const digest = { ...hashes.at(i), size: sizes[i] as number };
      if (digest.size >= 0 && !this.isBroken(digest)) continue;
      sizes[i] = -1;
      this.note(digest);
    }
    return sizes;
  }

  async open(digest: Digest): Promise<Blob | undefined> {
    const blob = this.isBroken(digest) ? undefined : await this.blobs.open(digest);
    if (blob === undefined) this.note(digest);
    return blob;
  }

  async readBatch(digests: DigestList): Promise<BatchRead> {
    const whole = new DigestList(digests.function, Math.max(1, digests.length));
    const places: number[] = [];
    const missing: number[] = [];
    for (let i = 0; i < digests.length; i++) {
      if (this.isBroken(digests.at(i))) missing.push(i);
      else {
        whole.append(digests, i);
        places.push(i);
      }
    }
    const read = await this.blobs.readBatch(whole);
    missing.push(...read.missing.map((i) => places[i] as number));
    missing.sort((a, b) => a - b);
    for (const i of missing.slice(0, maxNoted)) this.note(digests.at(i));
    return { ...read, missing, release: () => read.release() };
  }

  private isBroken(digest: Digest): boolean {
    return this.broken.size > 0 && this.broken.has(keyOfDigest(digest));
  }

  private note(digest: Digest): void {
    if (this.noted.length < maxNoted) this.noted.push(digest);
  }
}
