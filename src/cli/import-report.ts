import type { ImportOptions } from "../import/importer.ts";
import { showLayouts } from "../import/old-cache.ts";
import type { NameCounts, Outcome } from "../import/outcome.ts";
import { readable } from "./readable.ts";

/** Problems that people are shown; a broken disk has thousands. */
const shownProblems = 20;

type Imported = Pick<ImportOptions, "old" | "instance" | "dryRun" | "outcome">;

/** For machines: everything that was counted. `failure` is what ended the import early. */
export function reportAsJson({ old, instance, dryRun, outcome }: Imported, failure: string | undefined): string {
  const { blobs, otherFiles, problems, problemCount } = outcome;
  const names = Object.fromEntries(outcome.names);
  const result = { directory: old.directory, layouts: old.layouts, instance, dryRun, complete: failure === undefined };
  const more = { otherFiles, problems, problemsLeftOut: problemCount - problems.length };
  return `${JSON.stringify({ ...result, failure, names, blobs, ...more }, undefined, 2)}\n`;
}

/** For people: what was there, and what became of it. */
export function reportAsText({ old, dryRun, outcome }: Imported): string {
  const taken = dryRun ? "would be taken" : "taken";
  const lines = [`${old.directory}: ${showLayouts(old)}`];
  for (const [what, counts] of outcome.names) lines.push(row(showKind(what), names(counts, taken)));
  const { blobs } = outcome;
  if (blobs.files > 0) {
    const shared = blobs.sharedBytes > 0 ? `, ${readable(blobs.sharedBytes)} of it shared with the old files` : "";
    const parts = [`${blobs.taken} of ${blobs.files} ${taken} (${readable(blobs.takenBytes)}${shared})`];
    if (blobs.there > 0) parts.push(`${blobs.there} there already`);
    if (blobs.wrong > 0) parts.push(`${blobs.wrong} wrong`);
    if (blobs.unneeded > 0) parts.push(`${blobs.unneeded} needed by no ref that is taken, and left out`);
    if (blobs.foreign > 0) parts.push(`${blobs.foreign} of an unknown hash function`);
    lines.push(row("blobs", parts.join(", ")));
  }
  return `${lines.join("\n")}\n`;
}

/** The first of the problems, each on a line. */
export function problemLines({ problems, problemCount }: Outcome): string[] {
  const shown = problems.slice(0, shownProblems).map(({ path, why }) => `${path}: ${why}`);
  return problemCount > shown.length ? [...shown, `${problemCount - shown.length} more like these`] : shown;
}

function names({ found, taken, there, newer, incomplete, expired, wrong }: NameCounts, word: string): string {
  const parts = [`${taken} of ${found} ${word}`];
  if (there > 0) parts.push(`${there} there already`);
  if (newer > 0) parts.push(`${newer} older than what is there`);
  if (incomplete > 0) parts.push(`${incomplete} incomplete`);
  if (expired > 0) parts.push(`${expired} expired`);
  if (wrong > 0) parts.push(`${wrong} wrong`);
  return parts.join(", ");
}

function row(what: string, said: string): string {
  return `  ${what.padEnd(15)} ${said}`;
}

function showKind(what: string): string {
  return what.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
