import type { Digest } from "../base/digest.ts";
import { ostree } from "../base/digest-function.ts";
import { canonicalDirectory, canonicalFile } from "../ostree/canonical-mode.ts";
import { encodeCommit } from "../ostree/commit.ts";
import { encodeDirMeta } from "../ostree/dirmeta.ts";
import { encodeDirTree } from "../ostree/dirtree.ts";
import { checksumOfFile, encodeFilez } from "../ostree/filez.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { type Folder, putBlob } from "./tree.fixture.ts";

/** Stores a folder as a commit of OSTree and everything below it; returns the commit's digest. */
export async function putCommitOf(blobs: BlobStore, folder: Folder, subject = ""): Promise<Digest> {
  const { tree, meta } = await putFolder(blobs, folder);
  const about = { metadata: [], parent: undefined, subject, body: "", timestamp: 1_500_000_000 };
  return putBlob(blobs, encodeCommit({ ...about, tree, treeMeta: meta }));
}

async function putFolder(blobs: BlobStore, folder: Folder): Promise<{ tree: string; meta: string }> {
  const files: { name: string; checksum: string }[] = [];
  const directories: { name: string; tree: string; meta: string }[] = [];
  for (const [name, entry] of Object.entries(folder)) {
    if (typeof entry === "string") files.push({ name, checksum: await putFileObject(blobs, entry) });
    else directories.push({ name, ...(await putFolder(blobs, entry)) });
  }
  const tree = await putBlob(blobs, encodeDirTree({ files, directories }));
  const meta = await putBlob(blobs, encodeDirMeta(canonicalDirectory(0o755)));
  return { tree: tree.hash, meta: meta.hash };
}

/** Stores a file as a file object; returns its checksum. */
export async function putFileObject(blobs: BlobStore, text: string): Promise<string> {
  const header = canonicalFile(0o644);
  const [content, hash] = [Buffer.from(text), checksumOfFile(header, Buffer.from(text))];
  const filez = encodeFilez(header, content);
  await blobs.put({ function: ostree, hash, size: filez.length }, filez);
  return hash;
}
