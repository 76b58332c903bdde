import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, parseDigest } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { CommitRefSchema } from "../gen/stillage/ostree/v1/commit_ref_pb.ts";
import { canonicalDirectory, canonicalFile } from "../ostree/canonical-mode.ts";
import { encodeCommit } from "../ostree/commit.ts";
import { encodeDirMeta } from "../ostree/dirmeta.ts";
import { encodeDirTree } from "../ostree/dirtree.ts";
import { checksumOfFile, encodeFilez } from "../ostree/filez.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { NewRef } from "../store/ref-store.ts";

/** A commit that is in a store. */
export interface StoredCommit {
  readonly checksum: string;
  readonly size: number;
  readonly timestamp: number;
  /** Of each file, its checksum and its `.filez`. */
  readonly files: readonly { readonly checksum: string; readonly filez: Uint8Array }[];
  readonly tree: string;
  readonly meta: string;
}

/** Stores a commit of one directory with these files. */
export async function putCommit(
  blobs: BlobStore,
  contents: Readonly<Record<string, string>>,
  timestamp = 1000,
): Promise<StoredCommit> {
  const put = async (bytes: Uint8Array): Promise<string> => {
    const digest = digestOf(sha256, bytes);
    await blobs.put(digest, bytes);
    return digest.hash;
  };
  const header = canonicalFile(0o644);
  const files = Object.entries(contents).map(([name, text]) => {
    const content = Buffer.from(text);
    return { name, checksum: checksumOfFile(header, content), filez: encodeFilez(header, content) };
  });
  for (const { checksum, filez } of files) await blobs.put(parseDigest(checksum, filez.length, ostree), filez);
  const meta = await put(encodeDirMeta(canonicalDirectory(0o755)));
  const tree = await put(encodeDirTree({ files, directories: [] }));
  const about = { metadata: [], parent: undefined, subject: "", body: "", timestamp };
  const commit = encodeCommit({ ...about, tree, treeMeta: meta });
  return { checksum: await put(commit), size: commit.length, timestamp, files, tree, meta };
}

/** A ref to a commit, with a blob that is attached to it. */
export function commitRef(
  name: string,
  { checksum, size, timestamp }: Pick<StoredCommit, "checksum" | "size" | "timestamp">,
  detached?: Digest,
): NewRef {
  const message = toBinary(
    CommitRefSchema,
    create(CommitRefSchema, {
      commit: Buffer.from(checksum, "hex"),
      commitSize: BigInt(size),
      timestamp: BigInt(timestamp),
      detachedMetadata: Buffer.from(detached?.hash ?? "", "hex"),
      detachedMetadataSize: BigInt(detached?.size ?? 0),
    }),
  );
  const roots = [{ walk: "commit" as const, digest: parseDigest(checksum, size, sha256) }];
  return { space: "ostree", instance: "", name, message, roots, stored: timestamp * 1000, expires: undefined };
}
