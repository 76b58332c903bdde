import { fileURLToPath } from "node:url";
import { StillageError } from "../../base/errors.ts";
import { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";
import { directorySource } from "../../ostree/archive/directory-source.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { CommitIndex } from "./commit-index.ts";
import { ObjectBlobs } from "./object-blobs.ts";
import type { OstreePlace } from "./ostree-place.ts";
import { repositoryNames, takeIntoRepository } from "./repository-store.ts";

/**
 * A repository of mode `archive` on this machine. What is pushed is seen by whoever reads its refs; its summary, by which BuildStream's clients go, is made anew when the place is
 * disposed of, once for all that was pushed. Errors: `not-found`, `unsupported`, `invalid`.
 */
export async function openRepositoryPlace(spec: RemoteSpec): Promise<OstreePlace> {
  const directory = directoryOf(spec);
  const repository = await ArchiveRepository.open(directory);
  const objects = directorySource(directory);
  const blobs = new ObjectBlobs(objects);
  let isSummaryOld = false;
  const take: OstreePlace["commits"]["take"] = async (artifact, from, options) => {
    const taken = await takeIntoRepository(repository, artifact, from, options, "leave");
    if (taken === "published") isSummaryOld = true;
    return taken;
  };
  return {
    name: spec.name,
    index: new CommitIndex(repositoryNames(repository), blobs),
    blobs: undefined,
    commits: { objects, blobs, repository, take: spec.push ? take : undefined },
    writable: spec.push,
    pulledFrom: directory,
    notWritable: undefined,
    async roundTrip(signal) {
      signal.throwIfAborted();
      const before = performance.now();
      await objects.size("config");
      return performance.now() - before;
    },
    async [Symbol.asyncDispose]() {
      if (!isSummaryOld) return;
      isSummaryOld = false;
      await using change = await repository.begin();
      await change.publish({ summary: "refresh" });
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
