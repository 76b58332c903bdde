/** Bytes on the disk: the most that there may be, from how many on there is little room, and how many a sweep leaves then. */
export interface Room {
  readonly quota: number;
  readonly high: number;
  readonly low: number;
}

/** What a quota in bytes, and marks in percents of it, come to; `undefined` without a quota. */
export function roomOf(quota: number | undefined, highMark: number, lowMark: number): Room | undefined {
  if (quota === undefined) return undefined;
  return { quota, high: Math.floor((quota * highMark) / 100), low: Math.floor((quota * lowMark) / 100) };
}
