import { asStillageError, type StillageError } from "../../base/errors.ts";
import { isPromise, type MaybePromise } from "../../base/maybe-promise.ts";
import type { ArtifactIndex } from "../artifact-index.ts";
import type { BlobPlace } from "../place.ts";
import { AwayError } from "./away-error.ts";
import type { Reachability } from "./reachability.ts";
import type { RemotePlace } from "./remote-place.ts";
import { isGone } from "./silent-failure.ts";

/** Calls in a row that a server may leave unanswered, each after tries of its own. */
const allowedFailures = 2;

/** When to ask again where it is not known how long it is away, or is being found out: who waits for that should not ask all the time. */
const askAgainMs = 2000;

type Memory = Pick<Reachability, "blocked" | "failed" | "reached">;

/**
 * The remote, for as long as it answers: once calls in a row have waited for it in vain, others fail at once with `unavailable`, so that a server that dies in the middle costs its
 * time-outs once and not for each artifact. It is asked again, by one call, when the memory of unreachable servers says so; the next command does not ask it before that either. `gone` is
 * called each time that it has become silent.
 */
export function watchedRemote(remote: RemotePlace, memory: Memory, gone: (error: StillageError) => void): RemotePlace {
  const watch = new Watch(remote, memory, gone);
  const { name, spec, protocols, product, storage, shortcomings, index, blobs, commits, writable } = remote;
  return {
    ...{ name, spec, protocols, product, storage, shortcomings, commits, writable },
    index: index && watchedIndex(index, watch),
    blobs: blobs && watchedBlobs(blobs, watch),
    get certificateEnd() {
      return remote.certificateEnd;
    },
    roundTrip: (signal) => remote.roundTrip(signal),
    [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose](),
  };
}

class Watch {
  private readonly remote: RemotePlace;
  private readonly memory: Memory;
  private readonly gone: (error: StillageError) => void;
  /** In a row. */
  private failures = 0;
  /** Whether a call is under way by which it shows whether it is back. */
  private trying = false;
  /** Errors of those for whom the server works: they say nothing of it. */
  private readonly foreign = new WeakSet<object>();

  constructor(remote: RemotePlace, memory: Memory, gone: (error: StillageError) => void) {
    this.remote = remote;
    this.memory = memory;
    this.gone = gone;
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    const tries = this.enter();
    try {
      const result = await work();
      await this.answered();
      return result;
    } catch (error) {
      await this.failed(error);
      throw error;
    } finally {
      if (tries) this.trying = false;
    }
  }

  async *stream<T>(work: () => AsyncIterable<T>): AsyncGenerator<T> {
    const tries = this.enter();
    try {
      yield* work();
      await this.answered();
    } catch (error) {
      await this.failed(error);
      throw error;
    } finally {
      if (tries) this.trying = false;
    }
  }

  /** What others do in the middle of a call. */
  others<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    try {
      const done = work();
      if (!isPromise(done)) return done;
      return done.catch((error: unknown) => {
        throw this.notOurs(error);
      });
    } catch (error) {
      throw this.notOurs(error);
    }
  }

  async *othersStream<T>(content: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* content;
    } catch (error) {
      throw this.notOurs(error);
    }
  }

  private notOurs(error: unknown): unknown {
    if (typeof error === "object" && error !== null) this.foreign.add(error);
    return error;
  }

  /** Whether this call is the one that shows whether the server is back. */
  private enter(): boolean {
    if (this.failures < allowedFailures) return false;
    if (this.trying || this.memory.blocked(this.remote.spec) !== undefined) {
      throw new AwayError(this.remote.name, askAgainMs);
    }
    this.trying = true;
    return true;
  }

  private async answered(): Promise<void> {
    const wasGone = this.failures >= allowedFailures;
    this.failures = 0;
    if (wasGone) await this.memory.reached(this.remote.spec);
  }

  private async failed(caught: unknown): Promise<void> {
    if (typeof caught === "object" && caught !== null && this.foreign.has(caught)) return;
    const error = asStillageError(caught);
    if (isGone(error)) {
      this.failures += 1;
      if (this.failures === allowedFailures) this.gone(error);
      if (this.failures >= allowedFailures) await this.memory.failed(this.remote.spec, error.message);
    } else if (error.code !== "unavailable" && error.code !== "cancelled") {
      await this.answered();
    }
  }
}

function watchedIndex(index: ArtifactIndex, watch: Watch): ArtifactIndex {
  const { generations, newestFirst } = index;
  return {
    generations,
    ...(newestFirst && { newestFirst }),
    find: (question, signal) => watch.call(() => index.find(question, signal)),
    list: (globs, signal) => watch.stream(() => index.list(globs, signal)),
    publish: (artifact, content, signal) => watch.call(() => index.publish(artifact, content, signal)),
  };
}

function watchedBlobs(blobs: BlobPlace, watch: Watch): BlobPlace {
  const { sizeOf, borrows } = blobs;
  return {
    borrows: borrows ?? false,
    ...(sizeOf && { sizeOf: sizeOf.bind(blobs) }),
    readMany: (digests, take, signal) =>
      watch.call(() => blobs.readMany(digests, (batch) => watch.others(() => take(batch)), signal)),
    read: (digest, offset, signal, use) => watch.stream(() => blobs.read(digest, offset, signal, use)),
    missing: (digests, signal) => watch.call(() => blobs.missing(digests, signal)),
    writeMany: (some, signal, memory) => watch.call(() => blobs.writeMany(some, signal, memory)),
    write: (digest, content, signal) =>
      watch.call(() => blobs.write(digest, (offset) => watch.othersStream(content(offset)), signal)),
    flush: () => blobs.flush(),
  };
}
