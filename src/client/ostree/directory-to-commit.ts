import { fromBinary } from "@bufbuild/protobuf";
import { type Digest, keyOfDigest, parseDigest, showDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf, runningHash } from "../../base/hash.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { maxDirectoryBytes } from "../../cache/directory-walk.ts";
import { readMessage } from "../../cache/read-message.ts";
import {
  type Digest as DigestMessage,
  type Directory,
  DirectorySchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { RepositoryChange } from "../../ostree/archive/repository-change.ts";
import { canonicalDirectory, canonicalFile, canonicalLink } from "../../ostree/canonical-mode.ts";
import { encodeCommit } from "../../ostree/commit.ts";
import { encodeDirMeta } from "../../ostree/dirmeta.ts";
import { encodeDirTree, type TreeDirectory } from "../../ostree/dirtree.ts";
import type { Checksum } from "../../ostree/object-name.ts";
import type { BlobReader } from "../../store/blob-store.ts";

/** Directories within each other. Paths on Linux have at most 4096 characters. */
const maxDepth = 500;

/** Bytes of a file that are read at a time. */
const pieceBytes = 64 << 10;

/** Files that are deflated at the same time. */
const filesAtOnce = 4;

/**
 * Makes the tree of Directory messages below `root` one of OSTree, and puts a commit of it into a change: what BuildStream 1.1 would have made of an artifact with these files, all of root, 0644 or 0755. The
 * same tree gives the same commit every time: it says nothing of who made it, and its time is 0. Memory: one directory of each depth, and some windows of files. Errors: `not-found` for blobs,
 * `corrupt` for what is not of its digest, `invalid` for what is no tree, and names that no file of OSTree can have.
 */
export async function directoryToCommit(
  root: Digest,
  blobs: BlobReader,
  change: RepositoryChange,
  signal: AbortSignal,
): Promise<{ readonly commit: Checksum; readonly size: number }> {
  const treeMeta = await change.putMetadata("dirmeta", encodeDirMeta(canonicalDirectory(0o755)));
  const tree = await new Conversion(blobs, change, treeMeta, signal).directory(root, 0);
  const bytes = encodeCommit({
    ...{ metadata: [], parent: undefined, subject: "", body: "", timestamp: 0 },
    ...{ tree, treeMeta },
  });
  return { commit: await change.putMetadata("commit", bytes), size: bytes.length };
}

class Conversion {
  private readonly blobs: BlobReader;
  private readonly change: RepositoryChange;
  private readonly meta: Checksum;
  private readonly signal: AbortSignal;
  private readonly made = new Map<string, Checksum>();

  constructor(blobs: BlobReader, change: RepositoryChange, meta: Checksum, signal: AbortSignal) {
    this.blobs = blobs;
    this.change = change;
    this.meta = meta;
    this.signal = signal;
  }

  async directory(digest: Digest, depth: number): Promise<Checksum> {
    this.signal.throwIfAborted();
    const known = this.made.get(keyOfDigest(digest));
    if (known !== undefined) return known;
    if (depth > maxDepth) throw new StillageError("invalid", `the tree is deeper than ${maxDepth} directories`);
    const { files, symlinks, directories } = await this.read(digest);
    const entries: { name: string; checksum: Checksum }[] = [];
    await inParallel(files, filesAtOnce, async ({ name, digest: file, isExecutable }) => {
      const header = canonicalFile(isExecutable ? 0o755 : 0o644);
      const blob = digestIn(file);
      entries.push({ name, checksum: await this.change.putFile(header, blob.size, () => this.content(blob)) });
    });
    for (const { name, target } of symlinks) {
      const checksum = await this.change.putFile(canonicalLink(target), 0, () => new Uint8Array());
      entries.push({ name, checksum });
    }
    const children: TreeDirectory[] = [];
    for (const { name, digest: child } of directories) {
      children.push({ name, tree: await this.directory(digestIn(child), depth + 1), meta: this.meta });
    }
    const checksum = await this.change.putMetadata("dirtree", encodeDirTree({ files: entries, directories: children }));
    this.made.set(keyOfDigest(digest), checksum);
    return checksum;
  }

  private async read(digest: Digest): Promise<Directory> {
    if (digest.size > maxDirectoryBytes) {
      throw new StillageError("invalid", `${showDigest(digest)} is too large for a Directory`);
    }
    const bytes = await readMessage(this.blobs, digest);
    if (bytes === undefined) throw lost(digest);
    if (hashOf(sha256, bytes) !== digest.hash) throw wrong(digest);
    try {
      return fromBinary(DirectorySchema, bytes);
    } catch (cause) {
      throw new StillageError("invalid", `${showDigest(digest)} is no Directory`, { cause });
    }
  }

  private async *content(digest: Digest): AsyncGenerator<Uint8Array> {
    if (digest.size === 0) return;
    const blob = await this.blobs.open(digest);
    if (blob === undefined) throw lost(digest);
    const hash = runningHash(sha256);
    try {
      for (let at = 0; at < digest.size; at += pieceBytes) {
        this.signal.throwIfAborted();
        const piece = new Uint8Array(Math.min(pieceBytes, digest.size - at));
        await blob.read(piece, at);
        hash.update(piece);
        yield piece;
      }
      if (hash.digest("hex") !== digest.hash) throw wrong(digest);
    } finally {
      blob.close();
    }
  }
}

/** Errors: `invalid`. */
function digestIn(message: DigestMessage | undefined): Digest {
  return parseDigest(message?.hash ?? "", message?.sizeBytes ?? 0n, sha256);
}

function wrong(digest: Digest): StillageError {
  return new StillageError("corrupt", `the blob ${showDigest(digest)} has other bytes than its digest says`);
}

function lost(digest: Digest): StillageError {
  return new StillageError("not-found", `the blob ${showDigest(digest)} is not there`);
}
