import { MemoryRefStore } from "../store/memory/memory-ref-store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { ActionCache } from "./action-cache.ts";
import { AssetIndex } from "./asset-index.ts";
import { Closure } from "./closure.ts";
import { CommitRefs } from "./commit-refs.ts";
import { MessageIndex } from "./message-index.ts";
import type { Tenant } from "./tenant.ts";

/** A tenant in memory, for tests. */
export interface MemoryTenant extends Tenant {
  readonly blobs: MemoryStore;
  readonly refs: MemoryRefStore;
  readonly closure: Closure;
}

export function memoryTenant(name: string, clock: () => number = () => 1000): MemoryTenant {
  const blobs = new MemoryStore();
  const refs = new MemoryRefStore(clock);
  const closure = new Closure(blobs, () => blobs.removals());
  const options = { instance: name, refs, blobs, closure, clock };
  const [actions, assets, messages] = [new ActionCache(options), new AssetIndex(options), new MessageIndex(options)];
  const pushes = new CommitRefs(options);
  return { name, blobs, refs, closure, actions, assets, messages, pushes };
}
