/** Does something with each of the items, `width` at a time, begun in their order. The first failure ends it, once what is under way has ended. */
export async function inLanes<T>(width: number, items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      try {
        await each(items[next++] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, lane));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
