import { asStillageError, type StillageError } from "../../base/errors.ts";
import type { Place } from "../place.ts";
import type { ItemOutcome, TransferSummary } from "../transfer/transfer-outcome.ts";

export interface SavingOptions {
  /** Those of the places that are ours to save. */
  readonly places: readonly Place[];
  readonly done: (outcome: ItemOutcome) => void;
  /** Called before a place is saved. */
  readonly saving: ((place: string) => void) | undefined;
}

/**
 * Saves places once all that goes to them has come, also where that was stopped. That something was copied to one that has to be saved is told behind that; what cannot be saved has failed, and the summary has the error. Errors: those of
 * `work`, which leave the places as they are.
 */
export async function saveAfter(
  { places, done, saving }: SavingOptions,
  work: (done: SavingOptions["done"]) => Promise<TransferSummary>,
): Promise<TransferSummary> {
  const toSave = places.filter(({ save }) => save !== undefined);
  if (toSave.length === 0) return work(done);
  const copied: ItemOutcome[] = [];
  const summary = await work((outcome) => {
    if (outcome.result === "copied") copied.push(outcome);
    else done(outcome);
  });
  let failure: StillageError | undefined;
  for (const place of toSave) {
    saving?.(place.name);
    await place.save?.().catch((error) => {
      failure ??= asStillageError(error);
    });
  }
  for (const outcome of copied) done(failure === undefined ? outcome : unsaved(outcome, failure));
  if (failure === undefined) return summary;
  const results = { ...summary.results, copied: 0, failed: summary.results.failed + summary.results.copied };
  return { ...summary, results, error: summary.error ?? failure };
}

function unsaved(outcome: ItemOutcome, error: StillageError): ItemOutcome {
  return { ...outcome, result: "failed", place: undefined, error };
}
