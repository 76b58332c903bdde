import type { DigestList } from "../base/digest-list.ts";
import type { Slices } from "../base/slices.ts";
import type { ShelfMarks } from "./marks.ts";

/** Told of each blob that is reached, perhaps several times. */
export type Reach = (shelf: ShelfMarks, number: number) => void;

/** Look-ups between two looks at the clock: a fraction of a slice. */
export const lookUps = 256;

/** Reaches all of a list that are there, and empties it. */
export async function reachAll(shelf: ShelfMarks, digests: DigestList, reach: Reach, slices: Slices): Promise<void> {
  const { census } = shelf;
  const { words } = census.function;
  for (let i = 0; i < digests.length; i++) {
    const number = census.find(digests.words, i * words);
    if (number >= 0) reach(shelf, number);
    if (i % lookUps === 0 && slices.over) await slices.rest();
  }
  digests.clear();
}
