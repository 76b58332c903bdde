import { StillageError } from "../../base/errors.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import { RunningOstreeHash } from "../../base/ostree-hash.ts";
import { tarEnd, tarHeader, tarPadding } from "../../base/tar/tar-writer.ts";
import type { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import { reachTree } from "../../ostree/archive/reachable.ts";
import { ObjectSet } from "../../ostree/archive/stored-objects.ts";
import { type Checksum, type ObjectName, objectFileName } from "../../ostree/object-name.ts";
import { damaged } from "./object-blobs.ts";

/** What a commit consists of, each object once, the commit itself at the end. */
export type CommitObjects = readonly ObjectName[];

/** Goes through a commit's tree. Memory: some 200 bytes for each object. Errors: `not-found` and `corrupt`, naming the first object that is not there or is none. */
export async function objectsOfCommit(repository: ArchiveRepository, checksum: Checksum): Promise<CommitObjects> {
  const name = { checksum, type: "commit" } as const;
  const commit = await repository.commit(checksum);
  if (commit === undefined) throw missing(name);
  const found: ObjectName[] = [];
  const isThere = (object: ObjectName): boolean => {
    found.push(object);
    return repository.has(object.checksum, object.type);
  };
  const trees: ObjectName[] = [];
  const dirTree = (tree: Checksum) => {
    trees.push({ checksum: tree, type: "dirtree" });
    return repository.dirTree(tree);
  };
  const lost = (object: ObjectName, error?: unknown): never => {
    throw error ?? missing(object);
  };
  await reachTree({ dirTree }, commit, new ObjectSet(), lost, isThere);
  return [...found, ...trees, name];
}

/**
 * A commit as the tar stream that BuildStream's receivers take: each object as it is stored, called `CHECKSUM.TYPE`. Objects are verified while they go: what is damaged ends
 * the stream in its middle, so that nobody takes it. `sent` hears of each piece. Errors: `corrupt`, `not-found`.
 */
export async function* commitArchive(
  repository: ArchiveRepository,
  objects: CommitObjects,
  sent: (objects: number, bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  const counted = (piece: Uint8Array): Uint8Array => {
    length += piece.length;
    sent(0, piece.length);
    return piece;
  };
  for (const name of objects) {
    const { size, content } = await openObject(repository, name);
    yield counted(plainFile(objectFileName(name), size));
    for await (const piece of content) yield counted(piece);
    yield counted(tarPadding(size));
    sent(1, 0);
  }
  const commit = objects.at(-1)?.checksum ?? "";
  const detached = await repository.readDetached(commit);
  if (detached !== undefined) {
    yield counted(plainFile(`${commit}.commitmeta`, detached.length));
    yield counted(detached);
    yield counted(tarPadding(detached.length));
  }
  yield tarEnd(length);
}

interface OpenObject {
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

async function openObject(repository: ArchiveRepository, name: ObjectName): Promise<OpenObject> {
  const { checksum, type } = name;
  if (type !== "file") {
    const bytes = await repository.readMetadata(checksum, type);
    if (bytes === undefined) throw missing(name);
    return { size: bytes.length, content: [bytes] };
  }
  const stored = await repository.openFilez(checksum);
  if (stored === undefined) throw missing(name);
  return { size: stored.size, content: verified(checksum, stored.size, stored.content) };
}

/** The last piece comes only when all of them are what they are said to be. */
async function* verified(
  checksum: Checksum,
  size: number,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = new RunningOstreeHash();
  try {
    let left = size;
    for await (const piece of content) {
      left -= piece.length;
      if (left < 0) throw damaged(checksum, "file");
      const taken = hash.update(piece);
      if (isPromise(taken)) await taken;
      if (left === 0 && (await hash.digest()) !== checksum) throw damaged(checksum, "file");
      yield piece;
    }
    if (left > 0) throw damaged(checksum, "file");
  } catch (error) {
    if (error instanceof StillageError && error.code === "invalid") throw damaged(checksum, "file");
    throw error;
  } finally {
    hash.close();
  }
}

function missing({ checksum, type }: ObjectName): StillageError {
  return new StillageError("not-found", `the ${type} ${checksum} is not in the repository`);
}

/** The header of a file of root that everybody may read. */
function plainFile(path: string, size: number): Uint8Array {
  return tarHeader({ path, kind: "file", mode: 0o644, size, modified: 0 });
}
