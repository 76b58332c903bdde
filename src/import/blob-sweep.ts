import { setImmediate as breath } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import type { OldBlob } from "./blob-place.ts";
import type { ImportOptions } from "./importer.ts";
import type { Intake } from "./intake.ts";
import { inLanes } from "./lanes.ts";
import type { OldBlobs, OldShelf } from "./old-blobs.ts";

/** Blobs that are read at the same time. */
const lanes = 8;

/** A blob that is not in the store. */
interface Lacking {
  readonly digest: Digest;
  readonly time: number;
}

/**
 * Takes every blob that no name has brought in: trees that nobody has to have, what clients keep without names here, uploads that came to nothing.
 * A shelf at a time, 1 of 256, the last used first: that bounds memory, and what is stored together was used together. Of places where only names lead to
 * blobs, those that are left are counted.
 */
export async function takeRemainingBlobs(options: ImportOptions, old: OldBlobs, intake: Intake): Promise<void> {
  const { outcome, clock, signal } = options;
  for (const shelf of old.shelves()) {
    const blobs = old.list(shelf, (path, isForeign) => {
      if (!isForeign) {
        outcome.otherFiles++;
        return;
      }
      outcome.blobs.foreign++;
      outcome.report({ path, why: "its hash is of a function that is not known here" });
    });
    const lacking = await findLacking(shelf, blobs, options, old, intake);
    await inLanes(lanes, lacking, async ({ digest, time }) => {
      clock.set(time);
      await intake.take(digest);
    });
    outcome.steps += blobs.length;
    signal.throwIfAborted();
    await breath(); // for signals and the progress line
  }
}

async function findLacking(
  { place }: OldShelf,
  blobs: readonly OldBlob[],
  { outcome }: ImportOptions,
  old: OldBlobs,
  intake: Intake,
): Promise<Lacking[]> {
  const lacking: Lacking[] = [];
  const wrong = (blob: OldBlob, why: string): void => {
    outcome.blobs.wrong++;
    outcome.report({ path: old.pathOf(blob), why });
  };
  for (const blob of blobs) {
    if (intake.isWrong(blob.hash)) continue;
    if (blob.hash === blob.function.emptyHash) {
      outcome.blobs.files--; // it is everywhere, and in no store
      continue;
    }
    if (await intake.has(blob.function, blob.hash)) {
      outcome.blobs.there++;
      continue;
    }
    if (!place.takesAll) {
      outcome.blobs.unneeded++;
      continue;
    }
    const { stats } = (await old.find(blob)) ?? {};
    if (stats === undefined) continue; // it has gone since
    if (!stats.isFile()) wrong(blob, "it is not a file");
    else if (stats.size === 0) wrong(blob, "it is empty");
    else lacking.push({ digest: { ...blob, size: stats.size }, time: stats.mtimeMs });
  }
  return lacking.sort((a, b) => b.time - a.time);
}
