import type { RefKind, RefOrder } from "../ref-admin.ts";
import type { LastUse } from "./last-use.ts";
import type { Evicted } from "./ref-change.ts";
import type { RefWriter } from "./ref-writer.ts";
import { runScan } from "./run-scan.ts";

/** Refs that go in one transaction: some ten milliseconds, which a put may have to wait; fewer where they have many roots. */
const batchRefs = 250;

/**
 * Refs in the order of their use, and their removal. Exact about races, whatever the clock does: the writer's thread notes what is put or used from before
 * the order is read on, and removes nothing of that; uses that have not been written yet are looked up here; and from the call on, `get` is refused
 * what is to go (`isGoing`), until the thread has said what went.
 */
export class RefEviction {
  private readonly file: string;
  private readonly writer: RefWriter;
  private readonly lastUse: LastUse;
  private readonly onEvicted: (kinds: readonly RefKind[]) => void;
  private readonly going = new Set<number>();
  /** For each open order the refs that were put since. */
  private readonly open = new Set<Set<number>>();
  private noting: Promise<unknown> = Promise.resolve();

  /** `onEvicted` is told of which kinds refs went, before anybody hears that they did. */
  constructor(file: string, writer: RefWriter, lastUse: LastUse, onEvicted: (kinds: readonly RefKind[]) => void) {
    this.file = file;
    this.onEvicted = onEvicted;
    this.writer = writer;
    this.lastUse = lastUse;
  }

  /** Whether a ref is being removed, and was not used before. */
  isGoing(id: number): boolean {
    return this.going.has(id);
  }

  /** Is told of puts before their callers are. */
  onPut(ids: readonly number[]): void {
    for (const since of this.open) for (const id of ids) since.add(id);
  }

  async order(): Promise<RefOrder> {
    const since = new Set<number>();
    this.open.add(since);
    const close = (): void => this.close(since);
    try {
      if (this.open.size === 1) this.noting = this.writer.write({ kind: "watch", on: true });
      await this.noting;
      await this.lastUse.flush();
      const scanned = await runScan({ file: this.file });
      return {
        ...scanned,
        length: scanned.ids.length,
        since: () => {
          const ids = [...since];
          since.clear();
          return ids;
        },
        evict: async (ids) => (this.open.has(since) ? this.evict(ids) : [...ids]),
        close,
      };
    } catch (error) {
      close();
      throw error;
    }
  }

  private close(since: Set<number>): void {
    if (!this.open.delete(since) || this.open.size > 0) return;
    // Where it fails the thread has ended, or goes on to note what nobody asks for until the next order.
    this.writer.write({ kind: "watch", on: false }).catch(() => {});
  }

  private async evict(ids: readonly number[]): Promise<number[]> {
    const stayed = ids.filter((id) => this.lastUse.has(id));
    const rest = ids.filter((id) => !this.lastUse.has(id));
    for (const id of rest) this.going.add(id);
    rest.sort((a, b) => a - b); // neighbours in the tables together: fewer pages for each transaction
    try {
      for (let at = 0; at < rest.length; ) {
        const ids = rest.slice(at, at + batchRefs);
        const done = (await this.writer.write({ kind: "evict", ids })) as Evicted;
        this.onEvicted(done.kinds);
        stayed.push(...done.stayed);
        for (const id of ids.slice(0, done.looked)) this.going.delete(id);
        at += done.looked;
      }
      return stayed;
    } finally {
      for (const id of rest) this.going.delete(id);
    }
  }
}
