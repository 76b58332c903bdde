import type { Clock } from "../../base/clock.ts";
import { checkRef } from "../ref-limits.ts";
import type { NewRef, Ref, RefName, RefStore, Space } from "../ref-store.ts";

const keyOf = ({ space, instance, name }: RefName): string => JSON.stringify([space, instance, name]);

/** Refs in memory: for tests, and as the contract of a store in its shortest form. */
export class MemoryRefStore implements RefStore {
  private readonly refs = new Map<string, Ref>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get(name: RefName): Ref | undefined {
    const ref = this.refs.get(keyOf(name));
    const now = this.clock();
    if (ref === undefined || (ref.expires !== undefined && ref.expires <= now)) return undefined;
    this.refs.set(keyOf(name), { ...ref, used: now });
    return ref;
  }

  async put(refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) checkRef(ref);
    for (const { space, instance, name, message, roots, stored, expires } of refs) {
      const before = this.refs.get(keyOf({ space, instance, name }));
      const used = Math.max(stored, before?.used ?? 0);
      const pinned = before?.pinned ?? false;
      const kept = { message: new Uint8Array(message), roots: [...roots], stored, expires };
      this.refs.set(keyOf({ space, instance, name }), { space, instance, name, pinned, used, ...kept });
    }
  }

  async remove(name: RefName): Promise<void> {
    this.refs.delete(keyOf(name));
  }

  count(space: Space): number {
    let count = 0;
    for (const ref of this.refs.values()) if (ref.space === space) count++;
    return count;
  }

  async close(): Promise<void> {}
}
