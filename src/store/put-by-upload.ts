import type { Digest } from "../base/digest.ts";
import type { Upload } from "./blob-store.ts";

/** Stores a blob that is at hand whole, and too large for a pack, as one that comes in pieces. Errors: those of an upload. */
export async function putByUpload(
  store: { upload(digest: Digest): Promise<Upload> },
  digest: Digest,
  bytes: Uint8Array,
): Promise<void> {
  const upload = await store.upload(digest);
  try {
    await upload.write(bytes);
    await upload.finish();
  } finally {
    await upload.abort();
  }
}
