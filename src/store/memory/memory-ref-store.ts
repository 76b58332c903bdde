import type { Clock } from "../../base/clock.ts";
import { listable } from "../artifact-refs.ts";
import { checkRef } from "../ref-limits.ts";
import type { NewRef, Ref, RefName, RefStore, Space } from "../ref-store.ts";
import { type KeptRef, MemoryArtifactRefs } from "./memory-artifact-refs.ts";

const keyOf = ({ space, instance, name }: RefName): string => JSON.stringify([space, instance, name]);

/** Refs in memory: for tests, and as the contract of a store in its shortest form. */
export class MemoryRefStore implements RefStore {
  readonly artifacts: MemoryArtifactRefs;
  private readonly refs = new Map<string, KeptRef>();
  private readonly clock: Clock;
  private puts = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.artifacts = new MemoryArtifactRefs(this.refs, clock);
  }

  get(name: RefName): Ref | undefined {
    const kept = this.refs.get(keyOf(name));
    const now = this.clock();
    if (kept === undefined || (kept.expires !== undefined && kept.expires <= now)) return undefined;
    this.refs.set(keyOf(name), { ...kept, used: now });
    const { artifact: _, order: __, ...ref } = kept;
    return ref;
  }

  async put(refs: readonly NewRef[]): Promise<void> {
    for (const ref of refs) checkRef(ref);
    for (const { space, instance, name, message, roots, stored, expires, by, artifact } of refs) {
      const before = this.refs.get(keyOf({ space, instance, name }));
      const used = Math.max(stored, before?.used ?? 0);
      const pinned = before?.pinned ?? false;
      const kept = {
        message: new Uint8Array(message),
        roots: [...roots],
        stored,
        expires,
        by,
        artifact: listable(artifact),
      };
      const order = ++this.puts;
      this.refs.set(keyOf({ space, instance, name }), { space, instance, name, pinned, used, ...kept, order });
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
