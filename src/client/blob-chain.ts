import { type Digest, keyOfDigest, showDigest } from "../base/digest.ts";
import { asStillageError, StillageError } from "../base/errors.ts";
import { runningHash } from "../base/hash.ts";
import type { TakeBatch } from "./blob-place.ts";
import type { ReadableBlobs } from "./blob-reader.ts";

/** A place in a chain: opened when it is first needed; `undefined` where it cannot be, which others have been told of. */
export type ChainLink = () => Promise<ReadableBlobs | undefined>;

/**
 * Several places as one: what the first has not, or cannot give, the next is asked for. What a place failed with is thrown where none has given the blob. A place that
 * failed is not asked again, but for one whose bytes were wrong.
 */
export function chainBlobs(links: readonly ChainLink[]): ReadableBlobs {
  const failures: StillageError[] = [];
  const givenUp = new Set<ChainLink>();
  async function* places(): AsyncGenerator<readonly [ChainLink, ReadableBlobs]> {
    for (const link of links) {
      if (givenUp.has(link)) continue;
      const blobs = await link();
      if (blobs !== undefined) yield [link, blobs];
    }
  }
  const failed = (link: ChainLink, error: unknown): void => {
    const failure = asStillageError(error);
    if (!passedOn.has(failure.code)) throw error;
    failures.push(failure);
    if (failure.code !== "corrupt") givenUp.add(link);
  };
  // What a place that was given up may have had is not known to be missing.
  const failureSince = (before: number): StillageError | undefined =>
    failures[before] ?? (givenUp.size > 0 ? failures[0] : undefined);
  return {
    async readMany(digests, take, signal) {
      let wanted: readonly Digest[] = digests;
      const before = failures.length;
      for await (const [link, blobs] of places()) {
        const taken = new Set<string>();
        const note: TakeBatch = async (batch) => {
          await take(batch);
          for (const { digest } of batch.blobs) taken.add(keyOfDigest(digest));
        };
        try {
          wanted = await blobs.readMany(wanted, note, signal);
        } catch (error) {
          failed(link, error);
          wanted = wanted.filter((digest) => !taken.has(keyOfDigest(digest)));
        }
        if (wanted.length === 0) return [];
      }
      const failure = failureSince(before);
      if (failure !== undefined) throw failure;
      return [...wanted];
    },
    async *read(digest, offset, signal) {
      let at = offset;
      // Who goes on where another broke off does not verify the whole.
      const hash = offset === 0 && links.length > 1 ? runningHash(digest.function) : undefined;
      const before = failures.length;
      for await (const [link, blobs] of places()) {
        try {
          const whole = at === 0;
          for await (const piece of blobs.read(digest, at, signal)) {
            at += piece.length;
            await hash?.update(piece);
            yield piece;
          }
          if (!whole && hash !== undefined && (await hash.digest("hex")) !== digest.hash) throw wrongBytes(digest);
          return;
        } catch (error) {
          if (error instanceof StillageError && error.code === "not-found") continue;
          // What has been given out cannot be taken back.
          if (at > offset && asStillageError(error).code === "corrupt") throw error;
          failed(link, error);
        }
      }
      throw failureSince(before) ?? new StillageError("not-found", `${showDigest(digest)} is nowhere that was asked`);
    },
    async missing(digests, signal) {
      let wanted: Digest[] = [...digests];
      const before = failures.length;
      for await (const [link, blobs] of places()) {
        try {
          wanted = await blobs.missing(wanted, signal);
        } catch (error) {
          failed(link, error);
        }
        if (wanted.length === 0) return [];
      }
      const failure = failureSince(before);
      if (failure !== undefined) throw failure;
      return wanted;
    },
  };
}

function wrongBytes(digest: Digest): StillageError {
  return new StillageError("corrupt", `${showDigest(digest)} came in parts that do not belong together`);
}

/** Errors that are one place's own. */
const passedOn: ReadonlySet<string> = new Set(["unavailable", "deadline", "corrupt", "unauthenticated", "forbidden"]);
