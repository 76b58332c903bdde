import type { Digest } from "../../base/digest.ts";
import { ostree } from "../../base/digest-function.ts";
import { isHashOfWords } from "../../base/digest-list.ts";
import { hashOf } from "../../base/hash.ts";
import type { BlobBatch } from "../blob-store.ts";
import { bodyOf, putEach } from "../put-each.ts";
import type { Arrivals } from "./arrivals.ts";
import type { DigestIndex } from "./digest-index.ts";
import { maxPackedSize } from "./pack.ts";
import type { PackWriter } from "./pack-writer.ts";

/** What there is of the shelf. */
interface Parts {
  readonly index: DigestIndex;
  readonly arrivals: Arrivals;
  readonly writer: PackWriter;
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
}

/** Stores batches: small blobs as one thing from here to the disk, without an object or a promise for each; all others one by one. */
export class BatchWriter {
  private readonly parts: Parts;
  private readonly now: () => number;

  /** `now` is in seconds since 1970. */
  constructor(parts: Parts, now: () => number) {
    this.parts = parts;
    this.now = now;
  }

  /** See BlobStore. */
  async put(batch: BlobBatch): Promise<ReadonlyMap<number, unknown>> {
    const { index, arrivals, writer } = this.parts;
    const { digests, lengths } = batch;
    const { function: fn, sizes, words } = digests;
    if (fn === ostree) return putEach(this.parts, batch);
    const now = this.now();
    const failures = new Map<number, unknown>();
    const others: Promise<unknown>[] = [];
    const waitFor = (i: number, outcome: Promise<void>): void => {
      others.push(outcome.catch((error) => failures.set(i, error)));
    };
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<number, unknown>>();
    const party = arrivals.begin(promise);
    const which: number[] = [];
    for (let i = 0, word = 0; i < digests.length; i++, word += fn.words) {
      const size = sizes[i] as number;
      const body = bodyOf(batch, i);
      const hash = size <= maxPackedSize && size === lengths[i] ? hashOf(fn, body) : undefined;
      if (hash === undefined || !isHashOfWords(fn, words, word, hash)) {
        waitFor(i, this.parts.put(digests.at(i), body)); // which tells what is wrong
        continue;
      }
      if (size === 0) continue;
      const entry = index.find(words, word);
      if (entry >= 0) {
        index.touch(entry, now);
        continue;
      }
      const before = arrivals.outcome(words, word);
      if (before !== undefined) {
        waitFor(i, before);
        continue;
      }
      arrivals.add(words, word, i, party);
      which.push(i);
    }
    const refused = await writer.putBatch(batch, which);
    for (const i of which) arrivals.remove(words, i * fn.words);
    arrivals.end(party);
    resolve(refused);
    await Promise.all(others);
    for (const [i, error] of refused) failures.set(i, error);
    return failures;
  }
}
