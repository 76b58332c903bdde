import { type Digest, isEmptyBlob, keyOfDigest, showDigest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { Slices } from "../../base/slices.ts";
import { DigestSet } from "../../cache/digest-set.ts";
import { readChildren } from "../../cache/directory-children.ts";
import { maxDirectoryBytes } from "../../cache/directory-walk.ts";
import { maxTreeDirectories } from "../../cache/tree-walk.ts";
import { maxSmallBytes, type WholeBlob } from "../blob-place.ts";
import { type BlobCopier, type CopyContext, readWhole } from "./blob-copier.ts";
import { checkNames } from "./directory-names.ts";
import { type NamedSource, SourceRow } from "./source-row.ts";
import * as limits from "./transfer-limits.ts";

/** What the walk of a tree needs besides what copies of blobs do. */
export interface TreeContext extends CopyContext {
  /** Where directories that the place has already are read, which costs no network; without one, each is read from the sources. */
  readonly near: NamedSource | undefined;
}

/**
 * Copies the tree below `root`: reads its directories level by level, each once, and gives their files to the copier while it reads on. That a place has a
 * directory says nothing of what is in it. Settles when all directories are read; what no source has, the copier is told. Errors: `invalid` for what is no
 * directory or beyond the limits, `corrupt` for one with names that files cannot have; those of the place.
 */
export async function copyTree(context: TreeContext, copier: BlobCopier, root: Digest): Promise<void> {
  if (isEmptyBlob(root)) return;
  const seen = new DigestSet(root.function);
  seen.add(DigestList.of(root), 0);
  const slices = new Slices();
  const children = { files: new DigestList(root.function), directories: new DigestList(root.function) };
  for (let next = 0; next < seen.items.length; ) {
    context.signal.throwIfAborted();
    const batch = takeBatch(seen.items, next);
    next += batch.digests.length;
    const { here, fetched } = await directoriesOf(context, copier, batch);
    for (const [i, { digest, bytes }] of [...here, ...fetched].entries()) {
      // What has been found to be missing is asked for meanwhile.
      if (slices.over) await slices.rest();
      if (i >= here.length) checkNames(digest, bytes);
      readChildren(bytes, 0, bytes.length, children);
      await copier.add(children.files);
      children.files.clear();
    }
    if (context.near === undefined) await copier.offer(fetched);
    else if (fetched.length > 0) await copier.put(fetched);
    for (let i = 0; i < children.directories.length; i++) seen.add(children.directories, i);
    children.directories.clear();
    if (seen.items.length > maxTreeDirectories) {
      throw new StillageError("invalid", `the tree ${showDigest(root)} has over ${maxTreeDirectories} directories`);
    }
  }
}

interface Batch {
  readonly digests: readonly Digest[];
  readonly bytes: number;
}

function takeBatch(queue: DigestList, from: number): Batch {
  const digests: Digest[] = [];
  let bytes = 0;
  for (let i = from; i < queue.length && digests.length < limits.batchDirectories; i++) {
    const digest = queue.at(i);
    if (digest.size > maxDirectoryBytes) {
      throw new StillageError(
        "invalid",
        `the directory ${showDigest(digest)} is larger than ${maxDirectoryBytes} bytes`,
      );
    }
    bytes += digest.size;
    if (bytes > limits.batchDirectoryBytes && digests.length > 0) return { digests, bytes: bytes - digest.size };
    digests.push(digest);
  }
  return { digests, bytes };
}

/** The directories of a batch: those that the place has, and those that it may lack. What nobody has, the copier is told. */
async function directoriesOf(
  context: TreeContext,
  copier: BlobCopier,
  { digests, bytes }: Batch,
): Promise<{ readonly here: readonly WholeBlob[]; readonly fetched: readonly WholeBlob[] }> {
  const { to, sources, near, signal, budget } = context;
  if (near === undefined) {
    const read = await budget.hold(bytes, () => readDirectories(sources, digests, signal));
    for (const digest of read.rest) copier.lacks(digest);
    return { here: [], fetched: read.blobs };
  }
  const missing = new Set((await to.missing(digests, signal)).map(keyOfDigest));
  const present = digests.filter((digest) => !missing.has(keyOfDigest(digest)));
  const here = await readDirectories(new SourceRow([near]), present, signal);
  // What is not there after all is fetched like the rest.
  const wanted = [...digests.filter((digest) => missing.has(keyOfDigest(digest))), ...here.rest];
  const fetched = await readDirectories(sources, wanted, signal);
  for (const digest of fetched.rest) copier.lacks(digest);
  return { here: here.blobs, fetched: fetched.blobs };
}

async function readDirectories(
  sources: SourceRow,
  digests: readonly Digest[],
  signal: AbortSignal,
): Promise<{ blobs: WholeBlob[]; rest: Digest[] }> {
  if (digests.length === 0) return { blobs: [], rest: [] };
  const small = digests.filter(({ size }) => size <= maxSmallBytes);
  const { blobs, rest } = await readWhole(sources, small, signal);
  const lacking = [...rest];
  for (const digest of digests) {
    if (digest.size <= maxSmallBytes) continue;
    const whole = await readLarge(sources, digest, signal);
    if (whole === undefined) lacking.push(digest);
    else blobs.push({ digest, bytes: whole });
  }
  return { blobs, rest: lacking };
}

/** A blob that is too large for a batch and not too large for memory; `undefined` where no source gives it. The caller bounds its size. */
export async function readLarge(
  sources: SourceRow,
  digest: Digest,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const stream = sources.stream(digest, "borrowed", signal);
  while (stream.usable) {
    stream.failure = undefined;
    const memory = Buffer.allocUnsafeSlow(digest.size);
    let at = 0;
    try {
      for await (const piece of stream.content(0)) {
        if (at + piece.length > digest.size) break;
        memory.set(piece, at);
        at += piece.length;
      }
      if (at === digest.size) return memory;
    } catch (error) {
      signal.throwIfAborted();
      if (stream.failure === undefined) throw error;
    }
    if (stream.failure === undefined) return undefined;
  }
  return undefined;
}
