import { StillageError } from "../base/errors.ts";

/** Refuses what cannot be a name in a directory. Errors: `invalid`. */
export function checkName(name: string): void {
  if (name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0")) return;
  throw new StillageError("invalid", `${JSON.stringify(name.slice(0, 300))} cannot be the name of a file`);
}

/** The order of names by the bytes of their UTF-8, in which OSTree searches. JavaScript's own differs beyond the first 65,536 characters. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one === other) continue;
    // Halves of surrogate pairs, 0xd800 to 0xdfff, stand for characters that come after all others.
    if (one >= 0xd800 && other >= 0xd800) return afterPairs(one) - afterPairs(other);
    return one - other;
  }
  return a.length - b.length;
}

const afterPairs = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);

/** Says which of sorted names stands twice, or before one that it belongs behind. `undefined`: all are in order. */
export function firstOutOfOrder(names: readonly { readonly name: string }[]): string | undefined {
  for (let i = 1; i < names.length; i++) {
    const name = names[i]?.name ?? "";
    if (compareNames(names[i - 1]?.name ?? "", name) >= 0) return name;
  }
  return undefined;
}
