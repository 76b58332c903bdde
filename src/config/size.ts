import { StillageError } from "../base/errors.ts";
import { quote } from "./quote.ts";

const units: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ...[..."KMGTP"].flatMap((letter, i): [string, number][] => [
    [letter, 1000 ** (i + 1)],
    [`${letter}B`, 1000 ** (i + 1)],
    [`${letter}iB`, 1024 ** (i + 1)],
    [`${letter}i`, 1024 ** (i + 1)],
  ]),
]);

/** Reads `10G` (decimal), `500GiB` (binary), `1.5T` or a number of bytes. Errors: `invalid`. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(\d{1,16}(?:\.\d{1,6})?)\s?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units.get(unit);
  if (digits === undefined || factor === undefined)
    throw new StillageError("invalid", `${quote(text)} is not a size; write it as 10G, 500GiB or a number of bytes`);
  const bytes = Math.round(Number(digits) * factor);
  if (bytes < 1 || !Number.isSafeInteger(bytes))
    throw new StillageError("invalid", `${quote(text)} is out of range; a size is from 1 byte to 9P`);
  return bytes;
}

/** As {@link parseSize}; `none` is no limit. */
export function parseLimit(text: string): number | undefined {
  return text === "none" ? undefined : parseSize(text);
}

/** The size in the largest unit in which it is a whole number; {@link parseSize} reads it back. */
export function formatSize(bytes: number): string {
  const [unit, factor] = [...units]
    .filter(([name, each]) => !name.endsWith("i") && !/^.B$/.test(name) && bytes > 0 && bytes % each === 0)
    .reduce((best, each) => (each[1] > best[1] ? each : best), ["", 1]);
  return `${bytes / factor}${unit}`;
}
