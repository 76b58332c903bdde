import { parseDigest } from "../../base/digest.ts";
import { storedFunctionOfName } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { Root, Walk } from "../ref-store.ts";

/** Roots as they stand in the tables: a line for each, `walk function hash size`. One text is read faster than a row for each root. */
export function encodeRoots(roots: readonly Root[]): string {
  return roots.map(({ walk, digest }) => `${walk} ${digest.function.name} ${digest.hash} ${digest.size}`).join("\n");
}

/** Errors: `corrupt`. */
export function decodeRoots(text: string): Root[] {
  return text === "" ? [] : text.split("\n").map(decodeRoot);
}

/** The same one after the other, of a text of megabytes too. Errors: `corrupt`. */
export function* eachRoot(text: string): Generator<Root, void> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    yield decodeRoot(text.slice(at, end < 0 ? text.length : end));
    at = end < 0 ? text.length : end + 1;
  }
}

function decodeRoot(line: string): Root {
  const [walk, name, hash, size] = line.split(" ") as [Walk, string, string, string];
  const fn = storedFunctionOfName(name);
  if (fn === undefined) throw new StillageError("corrupt", `a ref has a root with the unknown hash function ${name}`);
  return { walk, digest: parseDigest(hash, Number(size), fn) };
}
