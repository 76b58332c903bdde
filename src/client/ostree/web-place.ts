import type { StillageError } from "../../base/errors.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import { CommitIndex } from "./commit-index.ts";
import { ObjectBlobs } from "./object-blobs.ts";
import type { OstreePlace } from "./ostree-place.ts";
import { CommitPost } from "./posted-commits.ts";
import { type Push, pushCommit } from "./push-commit.ts";
import { webNames } from "./web-names.ts";
import { findWebRepository, type WebRepository } from "./web-repository.ts";

/** The repository at a URL. Where we are to push, the server is asked whether it takes commits, as ours do. Errors: as of `openOstreeRemote`. */
export async function openWebPlace(spec: RemoteSpec, signal: AbortSignal): Promise<OstreePlace> {
  const repository = await findWebRepository(spec, spec.url, signal);
  try {
    const post = new CommitPost(repository.base, repository.access);
    const notWritable = spec.push ? await post.refusal(signal) : undefined;
    const push: Push | undefined =
      spec.push && notWritable === undefined ? (...pushed) => post.push(...pushed) : undefined;
    return readFromWeb(spec, repository, push, notWritable);
  } catch (error) {
    repository.source.close();
    throw error;
  }
}

/** A place that is read from a web server and written by `push`. Errors: `invalid` for a summary that is none. */
export function readFromWeb(
  spec: RemoteSpec,
  { base, source, summary }: WebRepository,
  push: Push | undefined,
  notWritable: StillageError | undefined,
): OstreePlace {
  const names = webNames(source, summary);
  const blobs = new ObjectBlobs(source);
  return {
    name: spec.name,
    index: new CommitIndex(names, blobs),
    blobs: undefined,
    commits: {
      ...{ objects: source, blobs, repository: undefined },
      take: push && ((artifact, from, options) => pushCommit(artifact, from, names, push, options)),
    },
    writable: push !== undefined,
    pulledFrom: shownUrl(base.href),
    notWritable,
    async roundTrip(signal) {
      signal.throwIfAborted();
      const before = performance.now();
      await source.size("config");
      return performance.now() - before;
    },
    async [Symbol.asyncDispose]() {
      source.close();
    },
  };
}
