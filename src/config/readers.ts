import type { ConfigNode, Origin } from "./config-node.ts";
import type { Problems } from "./problems.ts";
import { quote } from "./quote.ts";

/** Makes a checked value of what was written; `undefined` where problems were reported. */
export type Reader<T> = (node: ConfigNode, problems: Problems) => { readonly value: T } | undefined;

/** A single value. `parse` throws `invalid`. */
export function textReader<T>(parse: (text: string, folder: string) => T): Reader<T> {
  return (node, problems) => {
    if (node.kind === "text") return problems.attempt(node.origin, () => parse(node.text, node.origin.folder));
    problems.add(node.origin, `one value is wanted here, and there is ${named[node.kind]}`);
    return undefined;
  };
}

/** From one to `most` values, all of which differ in what `keyOf` says of them. */
export function listReader<T>(item: Reader<T>, most: number, keyOf: (value: T) => string | undefined): Reader<readonly T[]> {
  return (node, problems) => {
    if (node.kind !== "list") {
      problems.add(node.origin, `a list is wanted here, and there is ${named[node.kind]}`);
      return undefined;
    }
    if (node.items.length === 0 || node.items.length > most) {
      problems.add(node.origin, `from 1 to ${most} are wanted here, and there are ${node.items.length}`);
      return undefined;
    }
    const read = node.items.map((each) => ({ origin: each.origin, found: item(each, problems) }));
    const values = read.flatMap(({ found }) => (found === undefined ? [] : [found.value]));
    const unique = reportDuplicates(read, keyOf, problems);
    return unique && values.length === read.length ? { value: values } : undefined;
  };
}

function reportDuplicates<T>(
  read: readonly { origin: Origin; found: { readonly value: T } | undefined }[],
  keyOf: (value: T) => string | undefined,
  problems: Problems,
): boolean {
  const seen = new Set<string>();
  let unique = true;
  for (const { origin, found } of read) {
    const key = found === undefined ? undefined : keyOf(found.value);
    if (key === undefined) continue;
    if (seen.has(key)) {
      problems.add(origin, `${quote(key)} is there twice`);
      unique = false;
    }
    seen.add(key);
  }
  return unique;
}

export const named: Readonly<Record<ConfigNode["kind"], string>> = {
  text: "a single value",
  list: "a list",
  map: "a mapping",
  nothing: "nothing",
};
