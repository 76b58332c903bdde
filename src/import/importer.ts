import { StillageError } from "../base/errors.ts";
import { Closure } from "../cache/closure.ts";
import { composeTenant } from "../cache/tenant.ts";
import type { RefStore } from "../store/ref-store.ts";
import { takeRemainingBlobs } from "./blob-sweep.ts";
import { Intake, type OwnBlobs } from "./intake.ts";
import { findNames } from "./name-files.ts";
import { NameTaker } from "./name-taker.ts";
import { OldBlobs } from "./old-blobs.ts";
import type { OldCache } from "./old-cache.ts";
import type { Outcome } from "./outcome.ts";
import type { ReplayClock } from "./replay-clock.ts";
import { TakingStore } from "./taking-store.ts";

export interface ImportOptions {
  readonly old: OldCache;
  /** The instance name for all of it. */
  readonly instance: string;
  /** Where it goes. */
  readonly blobs: OwnBlobs;
  readonly refs: RefStore;
  /** Counts what the store has removed. */
  readonly removals: () => number;
  /** What the two tell the time by. */
  readonly clock: ReplayClock;
  /** The names alone, whether or not anything that they need is there: that is on another server. */
  readonly indexOnly: boolean;
  /** Whether a large blob may be another name of the old server's file; `undefined`: none may. */
  readonly mayLink: ((path: string) => Promise<boolean>) | undefined;
  /** Nothing is stored. */
  readonly dryRun: boolean;
  readonly outcome: Outcome;
  /** Ends the import at the next blob. */
  readonly signal: AbortSignal;
}

/**
 * Takes the content of another server's directory over: for each name, the last used first, what it needs and then the name; and then the
 * blobs that no name needs. A name is stored once all that it needs is durable, and not at all where something is missing: a client
 * that asked for it would be told that there is none, and would make it anew.
 * A crash at any moment leaves blobs and complete names; another run passes over what is there without reading it, and goes on.
 * Errors: `exhausted`; `failed-precondition` for what such a store cannot have; the signal's reason. What was complete by then is stored.
 */
export async function importCache(options: ImportOptions): Promise<void> {
  const { blobs: own, outcome, dryRun, clock, refs, removals, indexOnly, signal } = options;
  if (indexOnly && options.old.layouts.every((layout) => layout === "ostree")) {
    throw new StillageError("failed-precondition", "an index has nothing of BuildStream 1.0", {
      hint: "take the repository over into the store of the other server, the storage",
    });
  }
  const old = new OldBlobs(options.old.places);
  const intake = new Intake({ own, old, outcome, mayLink: options.mayLink, dryRun, signal });
  const blobs = indexOnly ? own : new TakingStore(own, intake, dryRun);
  const closure = new Closure(blobs, removals);
  const tenant = composeTenant(options.instance, { blobs, refs, closure, clock: clock.read, indexOnly });
  const taker = new NameTaker(options, intake, tenant, closure);

  const names = await findNames(options.old, () => outcome.otherFiles++);
  for (const { kind } of names) outcome.namesOf(kind).found++;
  if (!indexOnly) for (const shelf of old.shelves()) outcome.blobs.files += old.count(shelf);
  let byNames = 0;
  try {
    outcome.begin("names", names.length);
    for (const name of names) {
      signal.throwIfAborted();
      await taker.take(name);
      outcome.steps++;
    }
    await taker.store();
    byNames = outcome.blobs.taken;
    outcome.begin("blobs", outcome.blobs.files);
    if (!indexOnly) await takeRemainingBlobs(options, old, intake);
    await intake.settled();
    outcome.begin("done", 0);
  } catch (error) {
    await taker.salvage();
    throw error;
  } finally {
    // What names have brought in the store has by the time that all blobs are looked at.
    outcome.blobs.there = Math.max(0, outcome.blobs.there - byNames);
  }
}
