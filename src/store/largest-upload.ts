/** The most bytes that are removed for one upload: half of the quota, as its size is only announced, and what makes room for it is gone even if it never comes. */
export function largestUpload(quota: number): number {
  return Math.floor(quota / 2);
}
