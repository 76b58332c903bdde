import type { Outcome } from "../import/outcome.ts";
import { showLine } from "./progress-line.ts";
import { readable } from "./readable.ts";

/** A line on a terminal that says how far an import is. Disposing takes it away. */
export function showProgress(outcome: Outcome, terminal: NodeJS.WriteStream): Disposable {
  return showLine(() => progressLine(outcome), terminal);
}

export function progressLine({ phase, steps, allSteps, blobs }: Outcome): string {
  if (phase === "looking") return "looking at what is there";
  const share = allSteps === 0 ? 100 : Math.floor((100 * steps) / allSteps);
  return `${phase}: ${steps} of ${allSteps} (${share} %); ${blobs.taken} blobs taken, ${readable(blobs.takenBytes)}`;
}
