import { accessSync, constants } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Digest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import type { Generation } from "../../store/artifact-refs.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { CommitStore } from "../commit-store.ts";
import { openCommitCache } from "../ostree/commit-cache.ts";
import type { BlobPlace, Place } from "../place.ts";
import { CacheBlobs } from "./cache-blobs.ts";
import { CacheIndex } from "./cache-index.ts";
import { artifactFolder, bst10Repositories, commitRepository, layout1, layout2 } from "./cache-layout.ts";
import { IndexWithCommits } from "./index-with-commits.ts";
import { MessageSource } from "./message-source.ts";
import { ObjectSink } from "./object-sink.ts";
import { ObjectSource } from "./object-source.ts";
import { RefFiles } from "./ref-files.ts";

/** BuildStream's own cache: what it has, we have, and the other way round. */
export interface LocalCache extends Place {
  readonly directory: string;
  readonly index: IndexWithCommits;
  /** Of BuildStream 1.0, in an archive repository of our own: no later release has such artifacts. */
  readonly commits: CommitStore;
  /** Read from wherever they are; written to where BuildStream 1.9x and 2 look. */
  readonly blobs: BlobPlace;
  /** As `blobs`, written to where BuildStream of a generation looks. Errors: `unsupported` for `1.0`. */
  blobsFor(generation: Generation): BlobPlace;
  /** An object in its size, to be linked to or copied; its bytes are not looked at. A link is one file with the cache: no mode of it may change. */
  objectPath(digest: Digest): string | undefined;
  /** Removes every name of an artifact, as `bst artifact delete` does, and tells how many there were; blobs are left for BuildStream to expire. */
  remove(artifact: IndexedArtifact): Promise<number>;
}

/**
 * Opens a cache directory, which need not be there yet: nothing is made before something is written. `artifacts` is where BuildStream 1 has its own. Real programs may run beside it, and more of us.
 *
 * Blobs of 1.x are in a store of their own, as the real programs have them, and are not linked to those of 2.x: 1.6 makes the objects of executables
 * executable, and writable they are anyway, while 2.x takes its own for what nobody changes.
 */
export async function openLocalCache(
  directory: string,
  artifacts = join(directory, artifactFolder),
): Promise<LocalCache> {
  const cache = resolve(directory);
  const [of2, of1] = [layout2(cache), layout1(resolve(artifacts))];
  const refs = { messages: new RefFiles(of2), directories: new RefFiles(of1) };
  const messages = new MessageSource(refs.messages);
  const [objects2, objects1] = [new ObjectSource(of2), new ObjectSource(of1)];
  const [sink2, sink1] = [new ObjectSink(of2), new ObjectSink(of1)];
  const blobs = new CacheBlobs({ sources: [objects2, objects1, messages], sink: sink2 });
  const blobs1 = new CacheBlobs({ sources: [objects1, objects2], sink: sink1 });
  const commits = openCommitCache(commitRepository(cache), bst10Repositories(resolve(artifacts), cache));
  const own = new CacheIndex({
    ...refs,
    found: (content, name) => messages.found(content, name),
    blobs,
  });
  const index = new IndexWithCommits(own, commits);
  return {
    name: cache,
    directory: cache,
    index,
    blobs,
    writable: isWritable(cache),
    near: true,
    commits: commits.commits,
    blobsFor(generation) {
      if (generation === "1.0")
        throw new StillageError("unsupported", "artifacts of BuildStream 1.0 are in a repository");
      return generation === "1.x" ? blobs1 : blobs;
    },
    objectPath: (digest) => objects2.pathOf(digest) ?? objects1.pathOf(digest),
    remove: (artifact) => index.remove(artifact),
    async [Symbol.asyncDispose]() {
      // All of them, whatever becomes of one.
      await using closing = new AsyncDisposableStack();
      closing.use(commits);
      for (const sink of [sink2, sink1]) closing.defer(() => sink.close());
    },
  };
}

/** Of a directory that is not there, whether it could be made. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" && dirname(path) !== path && isWritable(dirname(path));
  }
}
