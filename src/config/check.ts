/** Where in a value something is: keys of mappings and positions in lists, from the outside in. */
export type Path = readonly (string | number)[];

/** Something wrong at a place; `onKey` where it is the key that is wrong, not what it stands for. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly onKey?: boolean;
}

export type Report = (finding: Finding) => void;

/** What a check gives for a value that it has reported. */
export const bad = Symbol("bad");

/** Turns what a file or a text says into what it means. Everything that is wrong is reported, not only the first thing. */
export type Check<T> = (given: unknown, path: Path, report: Report) => T | typeof bad;

/** Longer texts are cut in messages. */
const shownLength = 80;

/** A value as messages show it. */
export function quote(given: unknown): string {
  const text = JSON.stringify(given) ?? String(given);
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`;
}

/** A text. `parse` gives `undefined` for what is not `expected`, a phrase such as "a size". */
export function scalar<T>(expected: string, parse: (text: string) => T | undefined): Check<T> {
  return (given, path, report) => {
    const value = typeof given === "string" ? parse(given) : undefined;
    if (value !== undefined) return value;
    report({
      path,
      message: given === "" ? `has no value; ${expected} goes here` : `${quote(given)} is not ${expected}`,
    });
    return bad;
  };
}

/** A value, or the word `none`, which gives `undefined`. */
export function orNone<T>(check: Check<T>): Check<T | undefined> {
  return (given, path, report) => (given === "none" ? undefined : check(given, path, report));
}

/** A list of one to `max` entries, of which no two have the same `identity`; `undefined` is like nothing else. */
export function listOf<T>(
  each: Check<T>,
  max: number,
  identity: (value: T) => string | undefined,
): Check<readonly T[]> {
  return (given, path, report) => {
    if (!Array.isArray(given) || given.length === 0 || given.length > max) {
      const why = Array.isArray(given) ? `has ${given.length} entries` : `${quote(given)} is not a list`;
      report({ path, message: `${why}; a list of 1 to ${max} goes here` });
      return bad;
    }
    const values = given.map((entry, i) => each(entry, [...path, i], report));
    const seen = new Set<string>();
    let fine = true;
    for (const [i, value] of values.entries()) {
      const id = value === bad ? undefined : identity(value);
      if (value === bad) fine = false;
      else if (id === undefined) continue;
      else if (seen.has(id)) {
        report({ path: [...path, i], message: `${quote(id)} is there twice` });
        fine = false;
      } else seen.add(id);
    }
    return fine ? (values as T[]) : bad;
  };
}

/** A list as of `listOf`, or the one word `none`, which gives the empty list. */
export function listOrNone<T>(
  each: Check<T>,
  max: number,
  identity: (value: T) => string | undefined,
): Check<readonly T[]> {
  const list = listOf(each, max, identity);
  return (given, path, report) => {
    const nothing = given === "none" || (Array.isArray(given) && given.length === 1 && given[0] === "none");
    return nothing ? [] : list(given, path, report);
  };
}
