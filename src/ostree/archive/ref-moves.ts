import { join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import type { Checksum } from "../object-name.ts";
import { refsCollide } from "../ref-name.ts";
import { headsPath, type Ref } from "./ref-files.ts";

type Refs = ReadonlyMap<string, Ref>;
type Changes = ReadonlyMap<string, Checksum | undefined>;

/**
 * Where the refs lead after changes, sorted by name. Errors: `failed-precondition` where two of them cannot be beside each other, and where
 * a ref would go that another is an alias of.
 */
export function refsAfter(before: Refs, changes: Changes): ReadonlyMap<string, Checksum> {
  const after = new Map<string, Checksum>();
  for (const name of [...new Set([...before.keys(), ...changes.keys()])].sort()) {
    const commit = changes.has(name) ? changes.get(name) : aliased(name, before, changes);
    if (commit !== undefined) after.set(name, commit);
  }
  const names = [...after.keys()];
  for (const [index, name] of names.entries()) {
    // Sorted, what is below a name comes behind it, but `a-b` comes before `a/b`.
    for (let i = index + 1; i < names.length && names[i]?.startsWith(name); i++) {
      if (refsCollide(name, names[i] as string)) throw collision(name, names[i] as string);
    }
  }
  return after;
}

/** Where a ref leads that is not changed itself. */
function aliased(name: string, before: Refs, changes: Changes): Checksum | undefined {
  const ref = before.get(name);
  if (ref?.aliasOf === undefined || !changes.has(ref.aliasOf)) return ref?.commit;
  const commit = changes.get(ref.aliasOf);
  if (commit !== undefined) return commit;
  throw new StillageError(
    "failed-precondition",
    `the ref ${ref.aliasOf} cannot be removed: ${name} is an alias of it`,
    { hint: `remove ${name}, too` },
  );
}

function collision(one: string, other: string): StillageError {
  return new StillageError("failed-precondition", `there cannot be both a ref ${one} and a ref ${other}`, {
    hint: "a ref is a file, and what stands before a / a directory",
  });
}

/** A ref's file and what comes into it; nothing to remove it. */
export interface RefMove {
  readonly path: string;
  readonly commit: Checksum | undefined;
}

/** What changes come to, in an order in which each can be done: what is in the way of a new ref goes first, all other removals come last. */
export function refMoves(before: Refs, changes: Changes): RefMove[] {
  const names = [...changes.keys()];
  const fresh = names.filter((name) => changes.get(name) !== undefined);
  const gone = names.filter((name) => changes.get(name) === undefined && before.has(name));
  const newNames = fresh.filter((name) => !before.has(name));
  const first = new Set(gone.filter((name) => newNames.some((other) => refsCollide(name, other))));
  const inOrder = [...first, ...fresh, ...gone.filter((name) => !first.has(name))];
  return inOrder.map((name) => ({ path: join(headsPath, name), commit: changes.get(name) }));
}
