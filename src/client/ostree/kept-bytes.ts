/** What was read last, as much of it as has so many bytes together. */
export class KeptBytes<T> {
  private readonly capacity: number;
  private readonly sizeOf: (value: T) => number;
  private readonly entries = new Map<string, T>();
  private bytes = 0;

  constructor(capacity: number, sizeOf: (value: T) => number) {
    this.capacity = capacity;
    this.sizeOf = sizeOf;
  }

  get(key: string): T | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    // A Map keeps the order of insertion: what stands first was used last the longest ago.
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  /** What is larger than all may be is not kept. */
  set(key: string, value: T): void {
    this.remove(key);
    const size = this.sizeOf(value);
    if (size > this.capacity) return;
    this.entries.set(key, value);
    this.bytes += size;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.capacity) return;
      this.remove(oldest);
    }
  }

  private remove(key: string): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.entries.delete(key);
    this.bytes -= this.sizeOf(value);
  }
}
