import type { Digest } from "../base/digest.ts";
import type { BlobReader } from "../store/blob-store.ts";

/** A blob that is a message, whole; `undefined` where it is not there. The caller bounds its size. */
export async function readMessage(blobs: BlobReader, digest: Digest): Promise<Uint8Array | undefined> {
  const blob = await blobs.open(digest);
  if (blob === undefined) return undefined;
  try {
    const bytes = new Uint8Array(digest.size);
    if (digest.size > 0) await blob.read(bytes, 0);
    return bytes;
  } finally {
    blob.close();
  }
}
