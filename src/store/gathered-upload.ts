import { type Digest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import type { Upload } from "./blob-store.ts";

/** Refuses to take more bytes than a digest names, before any of them is kept. */
export function checkRoom(digest: Digest, received: number, more: number): void {
  if (received + more > digest.size) {
    throw new StillageError("invalid", `${showDigest(digest)} came with ${received + more} bytes or more`);
  }
}

/** An upload that is gathered in memory and stored at the end: for blobs that are small. `ended` is called once. */
export class GatheredUpload implements Upload {
  readonly digest: Digest;
  received = 0;
  private bytes: Uint8Array | undefined;
  private readonly store: (digest: Digest, bytes: Uint8Array) => Promise<void>;
  private readonly ended: () => void;

  constructor(digest: Digest, store: (digest: Digest, bytes: Uint8Array) => Promise<void>, ended: () => void) {
    this.digest = digest;
    this.bytes = new Uint8Array(digest.size);
    this.store = store;
    this.ended = ended;
  }

  write(chunk: Uint8Array): void {
    checkRoom(this.digest, this.received, chunk.length);
    this.bytes?.set(chunk, this.received);
    this.received += chunk.length;
  }

  async finish(): Promise<void> {
    const { bytes } = this;
    if (bytes === undefined) throw new StillageError("aborted", `the upload of ${showDigest(this.digest)} has ended`);
    this.end(); // the room that was kept for it is what `store` takes next
    await this.store(this.digest, bytes.subarray(0, this.received));
  }

  async abort(): Promise<void> {
    this.end();
  }

  private end(): void {
    if (this.bytes === undefined) return;
    this.bytes = undefined;
    this.ended();
  }
}
