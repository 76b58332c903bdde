import { lstatSync, statSync } from "node:fs";
import type { ClientConfiguration } from "../client/configuration/client-configuration.ts";
import { localName } from "../client/named-place.ts";
import type { ClientFlags } from "./client-options.ts";
import { printable } from "./human-text.ts";

/** What is wrong with the directory that `--cache` names; it need not be there. */
export function cacheProblem(
  { cache }: ClientFlags,
  { cacheDirectory }: Pick<ClientConfiguration, "cacheDirectory">,
): string | undefined {
  if (cache === undefined) return undefined;
  const shown = printable(cacheDirectory);
  try {
    return statSync(cacheDirectory).isDirectory() ? undefined : `--cache: ${shown} is no directory`;
  } catch {
    // What may not be looked at, those will say who use it.
    return isLink(cacheDirectory) ? `--cache: ${shown} is a link that leads nowhere` : undefined;
  }
}

/** Says that what `--cache` names is not there, to whoever only reads from it; `from` is what is read, the local cache among others where it is left out. */
export function sayAbsentCache(
  { cache }: ClientFlags,
  { cacheDirectory }: Pick<ClientConfiguration, "cacheDirectory">,
  from: string = localName,
): void {
  if (cache === undefined || from !== localName) return;
  if (statSync(cacheDirectory, { throwIfNoEntry: false }) !== undefined) return;
  process.stderr.write(
    `stillage: note: there is no directory ${printable(cacheDirectory)}, which --cache names: nothing is in it\n`,
  );
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}
