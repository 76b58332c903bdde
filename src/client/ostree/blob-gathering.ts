import { isEmptyBlob, keyOfDigest } from "../../base/digest.ts";
import { type BlobSink, maxSmallBytes, type WholeBlob } from "../blob-place.ts";

/** Bytes that go together. */
const batchBytes = 1 << 20;

/** Blobs in one question. */
const batchCount = 500;

/** Blobs that are made one after the other and sent many together, those that are missing. */
export class BlobGathering {
  private readonly into: Pick<BlobSink, "missing" | "writeMany" | "write">;
  private readonly signal: AbortSignal;
  private blobs = new Map<string, WholeBlob>();
  private bytes = 0;

  constructor(into: BlobGathering["into"], signal: AbortSignal) {
    this.into = into;
    this.signal = signal;
  }

  async add(blob: WholeBlob): Promise<void> {
    if (isEmptyBlob(blob.digest)) return;
    this.blobs.set(keyOfDigest(blob.digest), blob);
    this.bytes += blob.bytes.length;
    if (this.bytes >= batchBytes || this.blobs.size >= batchCount) await this.send();
  }

  /** Settles when all that was added is there. */
  async send(): Promise<void> {
    const { blobs } = this;
    [this.blobs, this.bytes] = [new Map(), 0];
    if (blobs.size === 0) return;
    const digests = Array.from(blobs.values(), ({ digest }) => digest);
    const missing = await this.into.missing(digests, this.signal);
    const wanted = missing.map((digest) => blobs.get(keyOfDigest(digest)) as WholeBlob);
    const small = wanted.filter(({ bytes }) => bytes.length <= maxSmallBytes);
    if (small.length > 0) await this.into.writeMany(small, this.signal);
    // A directory may be larger than what goes in batches.
    for (const { digest, bytes } of wanted.filter((each) => each.bytes.length > maxSmallBytes)) {
      await this.into.write(digest, (offset) => once(bytes.subarray(offset)), this.signal);
    }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
