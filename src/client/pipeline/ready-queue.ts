/** What waits for its turn, the highest rank first and of one rank the lowest index. */
export class ReadyQueue<T extends { readonly rank: number; readonly index: number }> {
  /** In reverse, so that the first is taken from the end. */
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    let [low, high] = [0, this.items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(item, this.items[middle] as T)) low = middle + 1;
      else high = middle;
    }
    this.items.splice(low, 0, item);
  }

  take(): T | undefined {
    return this.items.pop();
  }

  /** Takes up to `count` of those that are like that, and leaves the others in their order. */
  takeLike(like: (item: T) => boolean, count: number): T[] {
    const taken: T[] = [];
    for (let i = this.items.length - 1; i >= 0 && taken.length < count; i--) {
      if (like(this.items[i] as T)) taken.push(...this.items.splice(i, 1));
    }
    return taken;
  }

  count(like: (item: T) => boolean): number {
    return this.items.filter(like).length;
  }
}

const isBefore = <T extends { readonly rank: number; readonly index: number }>(a: T, b: T): boolean =>
  a.rank > b.rank || (a.rank === b.rank && a.index < b.index);
