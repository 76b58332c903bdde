import type { Log } from "../base/log.ts";
import { Closure } from "../cache/closure.ts";
import { type CommitDesk, CommitIndex } from "../cache/commit-index.ts";
import type { OpenCache } from "../cache/open-cache.ts";
import { unaskedMs } from "../store/use-resolution.ts";
import type { ServerOptions } from "./server-options.ts";

/** The commits of every instance, once for all threads: so there is one summary, and one look at what is damaged. */
export class CommitDesks {
  /** By instance name. */
  readonly all: ReadonlyMap<string, CommitIndex>;

  /** `damage` counts blobs that were found to be damaged. */
  constructor(
    { instances, leaseMs }: Pick<ServerOptions, "instances" | "leaseMs">,
    { store, refs }: Pick<OpenCache, "store" | "refs">,
    damage: () => number,
    log: Log,
  ) {
    const removals = (): number => store.removals();
    const closing = { unaskedMs: unaskedMs(leaseMs / 1000) };
    this.all = new Map(
      instances.map((instance) => {
        const blobs = store.tenant(instance);
        const closure = new Closure(blobs, removals, closing);
        const quiet = new Closure(store.tenant(instance).quiet, removals, closing);
        return [instance, new CommitIndex({ instance, refs, blobs, closure, quiet, damage, log })];
      }),
    );
  }

  of(instance: string): CommitIndex {
    const found = this.all.get(instance);
    if (found === undefined) throw new Error(`no instance ${instance}`); // doors ask for those that there are
    return found;
  }

  async close(): Promise<void> {
    await Promise.all([...this.all.values()].map((each) => each.close()));
  }

  /** What other threads may ask: plain values, and no view that takes more memory along. */
  answers() {
    const of = (instance: string): CommitDesk => this.of(instance);
    return {
      commitSummary: async (instance: string, known: string | undefined) => of(instance).summary(known),
      commitHead: async (instance: string, ref: string) => of(instance).head(ref),
      pullCommit: async (instance: string, commit: string) => of(instance).pull(commit),
      commitDetached: async (instance: string, commit: string) => {
        const bytes = await of(instance).detached(commit);
        return bytes && new Uint8Array(bytes);
      },
    };
  }
}
