/** Characters that a terminal acts on, or that change what is read: controls, line separators, and those that turn the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const acting = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\\]/g;

/** Text from outside as a line may show it: what acts stands as `\xNN` or `\u{N}`, and a backslash is doubled, so that nothing is ambiguous. */
export function printable(text: string): string {
  return text.toWellFormed().replace(acting, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === "\\") return "\\\\";
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** The text that `printable` gave; anything else stands for itself. */
export function fromPrintable(text: string): string {
  return text.replace(/\\(?:\\|x([0-9a-f]{2})|u\{([0-9a-f]{1,6})\})/gi, (whole, byte?: string, point?: string) => {
    const code = Number.parseInt(byte ?? point ?? "5c", 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** How many there are of something: `1 ref`, `2 refs`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** A number of bytes to three digits, in powers of 1000 as disks are sold: `1.50 MB`. */
export function humanSize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

const spans: readonly [name: string, ms: number][] = [
  ["year", 365 * 86_400_000],
  ["month", 30 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** How long ago a time is, in the largest unit: `3 days ago`. */
export function humanAge(time: number, now: number): string {
  const age = now - time;
  for (const [name, ms] of spans) {
    const count = Math.floor(age / ms);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return age < -60_000 ? "in the future" : "just now";
}
