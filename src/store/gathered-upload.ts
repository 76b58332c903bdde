import { type Digest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import type { Upload } from "./blob-store.ts";

/** Refuses to take more bytes than a digest names, before any of them is kept. */
export function checkRoom(digest: Digest, received: number, more: number): void {
  if (received + more > digest.size) {
    throw new StillageError("invalid", `${showDigest(digest)} came with ${received + more} bytes or more`);
  }
}

/** What becomes of the bytes of an upload; one of the two is called, once. */
export interface GatheredEnd {
  store(bytes: Uint8Array): Promise<void>;
  /** Nobody wants them. */
  drop(): void;
}

/** An upload that is gathered in memory and stored at the end: for blobs that are small. */
export class GatheredUpload implements Upload {
  readonly digest: Digest;
  received = 0;
  private bytes: Uint8Array | undefined;
  private readonly end: GatheredEnd;

  constructor(digest: Digest, end: GatheredEnd) {
    this.digest = digest;
    this.bytes = new Uint8Array(digest.size);
    this.end = end;
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
    this.end.drop();
  }
}
