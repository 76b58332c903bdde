import { fileURLToPath } from "node:url";
import { StillageError } from "../../base/errors.ts";
import { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import { maxConfigBytes } from "../../ostree/archive/config-file.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { bareUserSource, isBareUserRepository } from "./bare-user-source.ts";
import { CommitIndex } from "./commit-index.ts";
import { ObjectBlobs } from "./object-blobs.ts";
import type { OstreePlace } from "./ostree-place.ts";
import { repositoryNames, takeIntoRepository } from "./repository-store.ts";

/**
 * A repository on this machine. What is pushed into one of mode `archive` is seen by whoever reads its refs; its summary, by which BuildStream's clients go, is made anew when the place is
 * disposed of, once for all that was pushed. One of mode `bare-user`, as the cache of BuildStream 1.0 itself, is only read. Errors: `not-found`, `unsupported`, `invalid`.
 */
export async function openRepositoryPlace(spec: RemoteSpec): Promise<OstreePlace> {
  const directory = directoryOf(spec);
  return isBareUserRepository(directory) ? openBareUser(spec, directory) : openArchive(spec, directory);
}

async function openArchive(spec: RemoteSpec, directory: string): Promise<OstreePlace> {
  const repository = await ArchiveRepository.open(directory).catch((error: unknown) => {
    if (!(error instanceof StillageError) || error.code !== "not-found") throw error;
    const hint = `ostree init --mode=archive --repo=${directory} makes one`;
    throw new StillageError("not-found", error.message, { cause: error, hint });
  });
  const objects = directorySource(directory);
  let isSummaryOld = false;
  const take: OstreePlace["commits"]["take"] = async (artifact, from, options) => {
    const taken = await takeIntoRepository(repository, artifact, from, options, "leave");
    if (taken === "published") isSummaryOld = true;
    return taken;
  };
  return {
    ...readFrom(spec, directory, objects),
    commits: { objects, blobs: new ObjectBlobs(objects), repository, take: spec.push ? take : undefined },
    writable: spec.push,
    notWritable: undefined,
    async [Symbol.asyncDispose]() {
      if (!isSummaryOld) return;
      isSummaryOld = false;
      await using change = await repository.begin();
      await change.publish({ summary: "refresh" });
    },
  };
}

function openBareUser(spec: RemoteSpec, directory: string): OstreePlace {
  const objects = bareUserSource(directory);
  const notWritable = new StillageError(
    "unsupported",
    `${directory} is a repository of mode bare-user, which is only read`,
  );
  return {
    ...readFrom(spec, directory, objects),
    commits: { objects, blobs: new ObjectBlobs(objects), repository: undefined, take: undefined },
    writable: false,
    notWritable: spec.push ? notWritable : undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

function readFrom(spec: RemoteSpec, directory: string, objects: ObjectSource) {
  return {
    name: spec.name,
    index: new CommitIndex(repositoryNames(directory), new ObjectBlobs(objects)),
    blobs: undefined,
    near: true,
    pulledFrom: directory,
    async roundTrip(signal: AbortSignal): Promise<number> {
      signal.throwIfAborted();
      const before = performance.now();
      await objects.get("config", maxConfigBytes);
      return performance.now() - before;
    },
  };
}

function directoryOf({ name, url }: RemoteSpec): string {
  if (!url.startsWith("file://")) return url;
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new StillageError("invalid", `${name}: ${url} is no path on this machine`, { cause });
  }
}
