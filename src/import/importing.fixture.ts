import { mkdtempSync, rmSync, statSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../base/log.ts";
import { Closure } from "../cache/closure.ts";
import { openCache } from "../cache/open-cache.ts";
import { composeTenant, type Tenant } from "../cache/tenant.ts";
import type { FaultPoints } from "../store/disk/faults.ts";
import type { DiskStore } from "../store/disk/open-store.ts";
import type { RefStore } from "../store/ref-store.ts";
import { type ImportOptions, importCache } from "./importer.ts";
import { recognize } from "./old-cache.ts";
import { Outcome } from "./outcome.ts";
import { ReplayClock } from "./replay-clock.ts";

export const now = Date.UTC(2026, 0, 1);

/** A store in a folder of its own, to import into. */
export interface Target extends AsyncDisposable {
  readonly path: string;
  readonly store: DiskStore;
  readonly refs: RefStore;
  /** As a server would ask. */
  readonly tenant: Tenant;
  import(from: string, more?: Partial<ImportOptions>): Promise<Outcome>;
}

export interface TargetOptions {
  readonly quota?: number;
  /** Makes what an import ends with available although it failed. */
  readonly failed?: (outcome: Outcome) => void;
  readonly path?: string;
  readonly faults?: FaultPoints;
}

export async function openTarget({ quota, failed, path: given, faults }: TargetOptions = {}): Promise<Target> {
  const path = given ?? mkdtempSync(join(tmpdir(), "stillage-new-"));
  const clock = new ReplayClock(() => now);
  const options = { durability: "on", quota, clock: clock.read, log: silentLog } as const;
  const { store, refs, close } = await openCache(path, { ...options, ...(faults && { faults }) });
  const blobs = store.tenant("");
  const removals = (): number => store.removals();
  const closure = new Closure(blobs, removals);
  return {
    path,
    store,
    refs,
    tenant: composeTenant("", { blobs, refs, closure, clock: () => now, indexOnly: false }),
    async import(from, more = {}) {
      const old = recognize(from);
      const outcome = new Outcome(old.layouts, old.names);
      const flags = { instance: "", indexOnly: false, mayLink: undefined, dryRun: false };
      const { signal } = new AbortController();
      try {
        await importCache({ ...flags, old, blobs, refs, removals, clock, outcome, signal, ...more });
      } catch (error) {
        failed?.(outcome);
        throw error;
      }
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      await close();
      if (given === undefined) rmSync(path, { recursive: true });
    },
  };
}

/** May link whatever has one name and one owner with the store, as the command has it. */
export const linkOwn =
  (store: string) =>
  async (path: string): Promise<boolean> => {
    const { nlink, uid } = await lstat(path);
    return nlink === 1 && uid === statSync(store).uid;
  };
