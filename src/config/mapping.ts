import { bad, type Check, quote } from "./check.ts";
import { didYouMean } from "./nearest.ts";

/** One key of a mapping. A key without `absent` must be there. */
export interface Field<T> {
  readonly check: Check<T>;
  readonly absent?: T;
}

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** A mapping of exactly these keys. */
export function mapping<T extends object>(fields: Fields<T>): Check<T> {
  const known = Object.keys(fields);
  return (given, path, report) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      report({ path, message: `${quote(given)} is not a mapping of ${known.join(", ")}` });
      return bad;
    }
    let fine = true;
    for (const key of Object.keys(given).filter((each) => !known.includes(each))) {
      report({ path: [...path, key], onKey: true, message: `there is no such key${didYouMean(key, known)}` });
      fine = false;
    }
    const values: Record<string, unknown> = {};
    for (const [key, field] of Object.entries<Field<unknown>>(fields)) {
      const there = Object.hasOwn(given, key);
      if (!there && !("absent" in field)) report({ path, message: `${key} is missing` });
      const value = there
        ? field.check((given as Record<string, unknown>)[key], [...path, key], report)
        : absent(field);
      if (value === bad) fine = false;
      else values[key] = value;
    }
    return fine ? (values as T) : bad;
  };
}

function absent(field: Field<unknown>): unknown {
  return "absent" in field ? field.absent : bad;
}
