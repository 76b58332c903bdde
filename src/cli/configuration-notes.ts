import type { ClientConfiguration } from "../client/configuration/client-configuration.ts";
import { showProblem } from "../config/problem.ts";

/** Tells on standard error what in the files of a configuration could not be followed. */
export function sayNotes({ notes }: ClientConfiguration): void {
  for (const note of notes) process.stderr.write(`stillage: note: ${showProblem(note)}\n`);
}

/** Tells whoever reads a table in a pipe why it is empty. */
export function sayNoRemote(): void {
  process.stderr.write("stillage: no remote is configured\n");
}
