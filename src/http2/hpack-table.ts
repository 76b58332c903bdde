import type { HeaderField } from "./header-field.ts";
import { staticTable } from "./static-table.ts";

/** An entry counts 32 bytes at least, so a table of the default size has at most this many, and a ring of them suffices. */
const ringSize = 128;
const defaultTableBytes = ringSize * 32;

/** The fields that a peer can refer to by index: RFC 7541, sections 2.3 and 4. The table has the default size of 4,096 bytes. */
export class HpackTable {
  private readonly ring: (HeaderField | undefined)[] = new Array(ringSize).fill(undefined);
  /** How many were ever added; the newest is at `(added - 1) % ringSize`. */
  private added = 0;
  private count = 0;
  private bytes = 0;
  private limit = defaultTableBytes;

  /** `undefined` where nothing has the index. */
  at(index: number): HeaderField | undefined {
    if (index <= staticTable.length) return staticTable[index - 1];
    const age = index - staticTable.length;
    return age > this.count ? undefined : this.ring[(this.added - age) & (ringSize - 1)];
  }

  add(field: HeaderField): void {
    this.shrinkTo(this.limit - field.size);
    if (field.size > this.limit) return;
    this.ring[this.added & (ringSize - 1)] = field;
    this.added++;
    this.count++;
    this.bytes += field.size;
  }

  /** Returns false for a size beyond what was allowed. */
  resize(limit: number): boolean {
    if (limit > defaultTableBytes) return false;
    this.limit = limit;
    this.shrinkTo(limit);
    return true;
  }

  private shrinkTo(bytes: number): void {
    while (this.count > 0 && this.bytes > bytes) {
      const at = (this.added - this.count) & (ringSize - 1);
      this.bytes -= (this.ring[at] as HeaderField).size;
      this.ring[at] = undefined;
      this.count--;
    }
  }
}
