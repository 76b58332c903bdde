import { asStillageError } from "../../base/errors.ts";
import type { ArtifactIndex } from "../artifact-index.ts";
import type { Reachability } from "../connection/reachability.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import type { Place } from "../place.ts";
import type { PipelinePlaces } from "./element-transfers.ts";

/** Calls in a row that a server may leave unanswered, each after retries of its own. */
const allowedFailures = 2;

/**
 * The servers of a run, without those that stopped answering in the middle of it: each call to one would cost every element seconds. That is remembered, so the next command does not ask
 * them either.
 */
export class AnsweringPlaces implements PipelinePlaces {
  readonly pull: Place[];
  readonly push: Place[];

  constructor(
    remotes: readonly RemotePlace[],
    reachability: Pick<Reachability, "failed">,
    gone: (remote: RemotePlace, why: string) => void,
  ) {
    const watched = remotes.map((remote) => {
      const place = watch(remote, (why) => {
        for (const list of [this.pull, this.push]) {
          const at = list.indexOf(place);
          if (at >= 0) list.splice(at, 1);
        }
        void reachability.failed(remote.spec, why);
        gone(remote, why);
      });
      return { remote, place };
    });
    this.pull = watched.map(({ place }) => place);
    this.push = watched.filter(({ remote }) => remote.spec.push && remote.writable).map(({ place }) => place);
  }
}

/** The place as it is, with an index that counts. `gone` is called once. */
function watch(remote: RemotePlace, gone: (why: string) => void): Place {
  const { name, index, blobs, commits, writable, near } = remote;
  let failures = 0;
  const counted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const result = await call;
      if (failures < allowedFailures) failures = 0;
      return result;
    } catch (error) {
      const { code, message } = asStillageError(error);
      if (code === "unavailable" || code === "deadline") {
        failures += 1;
        if (failures === allowedFailures) gone(message);
      }
      throw error;
    }
  };
  const counting: ArtifactIndex | undefined = index && {
    generations: index.generations,
    find: (question, signal) => counted(index.find(question, signal)),
    list: (globs, signal) => index.list(globs, signal),
    publish: (artifact, content, signal) => counted(index.publish(artifact, content, signal)),
  };
  return {
    ...{ name, index: counting, blobs, writable },
    ...(commits && { commits }),
    ...(near && { near }),
    ...(remote.blobsFor && {
      blobsFor: (generation) => remote.blobsFor?.(generation) ?? (blobs as NonNullable<typeof blobs>),
    }),
    [Symbol.asyncDispose]: async () => {},
  };
}
