import type { Slices } from "../base/slices.ts";

/** Pieces of work, of a microsecond at most, between two looks at the clock. */
const piecesAtOnce = 256;

/** Does `work` for every number from 0 to `count`, and lets others have their turn in between. */
export async function inSlices(count: number, slices: Slices, work: (number: number) => void): Promise<void> {
  for (let number = 0; number < count; number++) {
    work(number);
    if (number % piecesAtOnce === 0 && slices.over) await slices.rest();
  }
}
