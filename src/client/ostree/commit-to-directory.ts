import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../../base/digest.ts";
import { ostree, sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { runningHash } from "../../base/hash.ts";
import { type FileHeader, isSymlink, type Xattr } from "../../base/ostree-file.ts";
import { readCommit } from "../../cache/commit-walk.ts";
import { maxDirectoryBytes } from "../../cache/directory-walk.ts";
import { openFileObject } from "../../cache/file-object.ts";
import { readMessage } from "../../cache/read-message.ts";
import { type Directory, DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { decodeDirMeta } from "../../ostree/dirmeta.ts";
import { decodeDirTree } from "../../ostree/dirtree.ts";
import type { Checksum } from "../../ostree/object-name.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import { type BlobSink, maxSmallBytes } from "../blob-place.ts";
import { BlobGathering } from "./blob-gathering.ts";

/** Directories within each other. Paths on Linux have at most 4096 characters. */
const maxDepth = 500;

/** What nobody can ask of a Directory, and who has it loses it: setuid, setgid, and the sticky bit. */
const specialBits = 0o7000;
const ownerMayRun = 0o100;

/**
 * Makes the tree of a commit one of Directory messages, as BuildStream 1.1.4 to 1.6 keep artifacts, and gives its root once all of it is in `into`. Equal trees give equal digests. What a Directory cannot say
 * has to be what it would be there: `unsupported` for owners other than root, extended attributes, setuid, setgid and sticky bits, of files and directories, naming the path. Other
 * permissions become 0644, or 0755 for what its owner may run, and 0755 for directories; the commit's time and subject are lost. Memory: one directory of each depth, a batch of small files, and some
 * 300 bytes for each other one.
 * Errors: `not-found` and `corrupt` for objects, `invalid` for what is no tree; those of `into`.
 */
export async function commitToDirectory(
  commit: Digest,
  blobs: BlobReader,
  into: Pick<BlobSink, "missing" | "writeMany" | "write">,
  signal: AbortSignal,
): Promise<Digest> {
  const read = await readCommit(blobs, commit);
  if (read === undefined) throw lost("commit", commit.hash);
  const conversion = new Conversion(blobs, into, signal);
  await conversion.checkMeta(read.treeMeta, "/");
  const root = await conversion.directory(read.tree, "", 0);
  await conversion.settle();
  return root;
}

interface ConvertedFile {
  readonly digest: Digest;
  readonly executable: boolean;
}

class Conversion {
  private readonly blobs: BlobReader;
  private readonly into: Pick<BlobSink, "missing" | "writeMany" | "write">;
  private readonly signal: AbortSignal;
  /** What was made already: trees may share directories and files any number of times. */
  private readonly directories = new Map<Checksum, Digest>();
  private readonly files = new Map<Checksum, ConvertedFile | { readonly target: string }>();
  private readonly metas = new Set<Checksum>();
  private readonly small: BlobGathering;

  constructor(blobs: BlobReader, into: Conversion["into"], signal: AbortSignal) {
    this.blobs = blobs;
    this.into = into;
    this.signal = signal;
    this.small = new BlobGathering(into, signal);
  }

  /** Waits until all that was made is there. */
  settle(): Promise<void> {
    return this.small.send();
  }

  async directory(checksum: Checksum, path: string, depth: number): Promise<Digest> {
    this.signal.throwIfAborted();
    const known = this.directories.get(checksum);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw new StillageError("invalid", `the tree is deeper than ${maxDepth} directories`);
    const tree = decodeDirTree(await this.metadata("dirtree", checksum));
    const made = create(DirectorySchema);
    // The lists of a dirtree are in the order that a Directory needs: by the bytes of names.
    for (const { name, checksum: file } of tree.files) await this.addFile(made, name, file, `${path}/${name}`);
    for (const { name, tree: child, meta } of tree.directories) {
      await this.checkMeta(meta, `${path}/${name}`);
      const digest = await this.directory(child, `${path}/${name}`, depth + 1);
      made.directories.push({
        $typeName: "build.bazel.remote.execution.v2.DirectoryNode",
        name,
        digest: named(digest),
      });
    }
    const bytes = toBinary(DirectorySchema, made);
    if (bytes.length > maxDirectoryBytes)
      throw new StillageError("invalid", `${path}/ has too many entries for a Directory`);
    const digest = await this.put(bytes);
    this.directories.set(checksum, digest);
    return digest;
  }

  /** Errors: `unsupported` for what of a directory would be lost. */
  async checkMeta(checksum: Checksum, path: string): Promise<void> {
    if (this.metas.has(checksum)) return;
    refuseLoss(decodeDirMeta(await this.metadata("dirmeta", checksum)), path);
    this.metas.add(checksum);
  }

  private async addFile(into: Directory, name: string, checksum: Checksum, path: string): Promise<void> {
    const file = this.files.get(checksum) ?? (await this.convert(checksum, path));
    this.files.set(checksum, file);
    if ("target" in file) {
      into.symlinks.push({ $typeName: "build.bazel.remote.execution.v2.SymlinkNode", name, target: file.target });
      return;
    }
    const { digest, executable } = file;
    into.files.push({
      ...{ $typeName: "build.bazel.remote.execution.v2.FileNode", name, digest: named(digest) },
      ...{ isExecutable: executable },
    });
  }

  private async convert(checksum: Checksum, path: string): Promise<ConvertedFile | { readonly target: string }> {
    this.signal.throwIfAborted();
    const { header, size, content } = await this.open(checksum);
    try {
      refuseLoss(header, path);
      if (isSymlink(header)) return { target: header.symlink };
      const executable = (header.mode & ownerMayRun) !== 0;
      if (size <= maxSmallBytes) {
        const pieces: Uint8Array[] = [];
        for await (const piece of content) pieces.push(Uint8Array.from(piece));
        return { digest: await this.put(Buffer.concat(pieces)), executable };
      }
      // A large one is inflated twice: its name has to be known before its bytes go anywhere.
      const hash = runningHash(sha256);
      for await (const piece of content) hash.update(piece);
      const digest = { function: sha256, hash: hash.digest("hex"), size };
      const [missing] = await this.into.missing([digest], this.signal);
      if (missing !== undefined) await this.into.write(digest, (offset) => this.from(checksum, offset), this.signal);
      return { digest, executable };
    } finally {
      await content.return(undefined);
    }
  }

  private async *from(checksum: Checksum, offset: number): AsyncGenerator<Uint8Array> {
    let left = offset;
    for await (const piece of (await this.open(checksum)).content) {
      const skipped = Math.min(left, piece.length);
      left -= skipped;
      if (skipped < piece.length) yield piece.subarray(skipped);
    }
  }

  private async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(sha256, bytes);
    await this.small.add({ digest, bytes });
    return digest;
  }

  private async open(checksum: Checksum) {
    const size = await this.blobs.sizeOf(ostree, checksum);
    const file =
      size === undefined ? undefined : await openFileObject(this.blobs, { function: ostree, hash: checksum, size });
    if (file === undefined) throw lost("file", checksum);
    return file;
  }

  private async metadata(type: "dirtree" | "dirmeta", checksum: Checksum): Promise<Uint8Array> {
    const size = await this.blobs.sizeOf(sha256, checksum);
    const bytes =
      size === undefined ? undefined : await readMessage(this.blobs, { function: sha256, hash: checksum, size });
    if (bytes === undefined) throw lost(type, checksum);
    return bytes;
  }
}

interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs: readonly Xattr[];
}

function refuseLoss({ uid, gid, mode, xattrs }: Owned | FileHeader, path: string): void {
  const lacking: string[] = [];
  if (uid !== 0 || gid !== 0) lacking.push(`the owner ${uid}:${gid}`);
  if (xattrs.length > 0) lacking.push("extended attributes");
  if ((mode & specialBits) !== 0) lacking.push(`the mode ${(mode & 0o7777).toString(8)}`);
  if (lacking.length === 0) return;
  throw new StillageError(
    "unsupported",
    `${JSON.stringify(path.slice(0, 300))} has ${lacking.join(" and ")}, which BuildStream 1.1.4 and later cannot keep`,
    { hint: "the artifact can be copied as the commit that it is" },
  );
}

function named({ hash, size }: Digest) {
  return { $typeName: "build.bazel.remote.execution.v2.Digest", hash, sizeBytes: BigInt(size) } as const;
}

function lost(type: string, checksum: Checksum): StillageError {
  return new StillageError("not-found", `the ${type} ${checksum} is not there`);
}
