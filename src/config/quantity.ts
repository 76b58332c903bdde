import { type Check, scalar } from "./check.ts";

const thousands = ["", "K", "M", "G", "T"];

/** Bytes from `min` to `max`: a number, or one with K, M, G, T (powers of 1000) or Ki, Mi, Gi, Ti (of 1024); a B may follow. Messages have the example. */
export function size(min: number, max: number = Number.MAX_SAFE_INTEGER, example = "500G or 512KiB"): Check<number> {
  const bound = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return scalar(`a size ${bound} bytes, such as ${example}`, (text) => {
    const [, digits, unit = "", binary = ""] = /^(\d{1,16}(?:\.\d{1,6})?) ?(?:([KMGT])(i?))?B?$/i.exec(text) ?? [];
    if (digits === undefined) return undefined;
    const bytes = Math.round(Number(digits) * (binary === "" ? 1000 : 1024) ** thousands.indexOf(unit.toUpperCase()));
    return bytes >= min && bytes <= max ? bytes : undefined;
  });
}

/** The shortest exact way to write a number of bytes. */
export function showSize(bytes: number): string {
  for (const [base, suffix] of [
    [1000, ""],
    [1024, "iB"],
  ] as const) {
    for (let power = thousands.length - 1; power > 0; power--) {
      if (bytes % base ** power === 0) return `${bytes / base ** power}${thousands[power]}${suffix}`;
    }
  }
  return String(bytes);
}

/** A percentage above 0 and up to 100, with at most two decimals: the number before the sign. */
export const percentage: Check<number> = scalar("a percentage up to 100%, such as 95%", (text) => {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,2})?) ?%$/.exec(text) ?? [];
  const value = Number(digits ?? Number.NaN);
  return value > 0 && value <= 100 ? value : undefined;
});

export function showPercentage(value: number): string {
  return `${value}%`;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds from `min` to `max`: a number with ms, s, m, h or d. */
export function duration(max: number, min = 0): Check<number> {
  const bound = min === 0 ? "" : `of at least ${showDuration(min)} and `;
  return scalar(`a time ${bound}up to ${showDuration(max)}, such as 30s or 5m`, (text) => {
    const [, digits, unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h|d)$/.exec(text) ?? [];
    const ms = Math.round(Number(digits) * (unitMs[unit] ?? Number.NaN));
    return ms >= min && ms <= max ? ms : undefined;
  });
}

export function showDuration(ms: number): string {
  const units = Object.entries(unitMs).reverse();
  const [unit, length] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ["s", 1000];
  return `${ms / length}${unit}`;
}
