import { asStillageError } from "../../base/errors.ts";
import type { ArtifactIndex } from "../artifact-index.ts";
import { remoteIdentity } from "../configuration/choose-remotes.ts";
import type { Reachability } from "../connection/reachability.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import type { Place } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { PipelinePlaces, PushPlaces } from "./element-transfers.ts";

/** Calls in a row that a server may leave unanswered, each after retries of its own. */
const allowedFailures = 2;

interface Watched {
  readonly remote: RemotePlace;
  readonly place: Place;
}

type Memory = Pick<Reachability, "blocked" | "failed" | "reached">;

/**
 * The servers of a run, for now without those that stopped answering in the middle of it: a call to one costs each element seconds. When they are asked again is what the memory of unreachable servers says,
 * so the next command does not ask them before that either.
 */
export class AnsweringPlaces {
  private readonly places: ReadonlyMap<string, Watched>;
  private readonly memory: Memory;

  constructor(remotes: readonly RemotePlace[], memory: Memory, gone: (remote: RemotePlace, why: string) => void) {
    this.memory = memory;
    this.places = new Map(
      remotes.map((remote) => {
        const place = watch(remote, memory, (why) => gone(remote, why));
        return [remoteIdentity(remote.spec), { remote, place }];
      }),
    );
  }

  /** Of these remotes, in their order, those that are there and answer now. */
  of(specs: readonly RemoteSpec[]): PipelinePlaces {
    const places = specs.map((spec) => this.places.get(remoteIdentity(spec))).filter((place) => place !== undefined);
    const answering = places.filter(({ remote }) => this.memory.blocked(remote.spec) === undefined);
    return { pull: answering.map(({ place }) => place), push: this.pushPlaces(places) };
  }

  private pushPlaces(places: readonly Watched[]): PushPlaces {
    const to: Place[] = [];
    const away: { name: string; until: number }[] = [];
    for (const { remote, place } of places) {
      if (!remote.spec.push || !remote.writable) continue;
      const blocked = this.memory.blocked(remote.spec);
      if (blocked === undefined) to.push(place);
      else away.push({ name: remote.name, until: blocked.until });
    }
    return { to, away };
  }
}

/** The place as it is, with an index that counts. `gone` is called each time that it has become silent. */
function watch(remote: RemotePlace, memory: Memory, gone: (why: string) => void): Place {
  const { name, index, blobs, commits, writable, near, spec } = remote;
  let failures = 0;
  const answered = (): void => {
    if (failures >= allowedFailures) void memory.reached(spec);
    failures = 0;
  };
  const counted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const result = await call;
      answered();
      return result;
    } catch (error) {
      const { code, message } = asStillageError(error);
      if (code === "unavailable" || code === "deadline") {
        failures += 1;
        if (failures >= allowedFailures) await memory.failed(spec, message);
        if (failures === allowedFailures) gone(message);
      } else if (code !== "cancelled") {
        answered();
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
  const blobsFor = remote.blobsFor?.bind(remote);
  return {
    ...{ name, index: counting, blobs, writable },
    ...(commits && { commits }),
    ...(near && { near }),
    ...(blobsFor && { blobsFor }),
    [Symbol.asyncDispose]: async () => {},
  };
}
