import { type Digest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { Upload } from "./blob-store.ts";

/** Refuses to take more bytes than a digest names, before any of them is kept. */
export function checkRoom(digest: Digest, received: number, more: number): void {
  if (received + more > digest.size) {
    throw new StillageError("invalid", `${showDigest(digest)} came with ${received + more} bytes or more`);
  }
}

/** What becomes of the bytes of an upload; one of the two is called, once. */
export interface GatheredEnd {
  /** `verified`: they are known to be the digest's. */
  store(bytes: Uint8Array, verified?: boolean): Promise<void>;
  /** Nobody wants them. */
  drop(): MaybePromise<void>;
}

/** An upload that is gathered in memory and stored at the end: for blobs that are small. */
export class GatheredUpload implements Upload {
  readonly digest: Digest;
  received: number;
  private bytes: Uint8Array | undefined;
  private readonly end: GatheredEnd;

  /** `begun`: what has come of it already, in another thread. */
  constructor(digest: Digest, end: GatheredEnd, begun?: Uint8Array) {
    this.digest = digest;
    this.bytes = new Uint8Array(digest.size);
    this.end = end;
    this.received = begun?.length ?? 0;
    if (begun !== undefined) this.bytes.set(begun);
  }

  /** What has come: for another thread to go on with. */
  get soFar(): Uint8Array {
    return this.bytes?.slice(0, this.received) ?? new Uint8Array(0);
  }

  write(chunk: Uint8Array): void {
    checkRoom(this.digest, this.received, chunk.length);
    this.bytes?.set(chunk, this.received);
    this.received += chunk.length;
  }

  async rest(): Promise<void> {}

  async finish(): Promise<void> {
    const { bytes } = this;
    if (bytes === undefined) throw new StillageError("aborted", `the upload of ${showDigest(this.digest)} has ended`);
    this.bytes = undefined;
    await this.end.store(bytes.subarray(0, this.received));
  }

  async abort(): Promise<void> {
    if (this.bytes === undefined) return;
    this.bytes = undefined;
    await this.end.drop();
  }
}
