/** Tells of everything that may go: when it was used, in seconds since 1970, and how many bytes it takes. */
export type Candidates = (take: (time: number, bytes: number) => void) => Promise<void>;

/** Each look divides what is left of the time into so many parts, of these seconds: the first one all of 32 bits, the last one single seconds. */
const parts = 2048;
const looks: readonly number[] = [1 << 21, 1 << 10, 1];

/**
 * The earliest time such that what was used before it takes at least `bytes`; 0 where nothing has to go. It is never above `limit`, whatever that leaves.
 * Looks at all candidates three times, and holds a table of 16 KiB.
 */
export async function cutoff(candidates: Candidates, bytes: number, limit: number): Promise<number> {
  if (bytes <= 0) return 0;
  const table = new Float64Array(parts);
  let from = 0;
  let before = 0;
  for (const span of looks) {
    table.fill(0);
    await candidates((time, size) => {
      const part = Math.floor((time - from) / span);
      if (time < limit && part >= 0 && part < parts) table[part] = (table[part] as number) + size;
    });
    let part = 0;
    while (part < parts && before + (table[part] as number) < bytes) before += table[part++] as number;
    if (part === parts) return limit;
    from += part * span;
  }
  return Math.min(from + 1, limit);
}
