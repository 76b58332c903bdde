/** A column of a table for people. */
export interface Column {
  readonly title: string;
  /** Its text may be cut in the middle where the line is too long. */
  readonly flexible?: boolean;
}

const gap = "  ";
const minFlexible = 12;

/** Aligned lines under a head, as far as can be no longer than `width`. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string {
  const widths = columns.map(({ title }, c) => Math.max(title.length, ...rows.map((row) => lengthOf(row[c] ?? ""))));
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + gap.length * (columns.length - 1);
  while (total() > width) {
    const widest = widths
      .map((each, c) => ({ c, each: columns[c]?.flexible ? each : 0 }))
      .reduce((a, b) => (b.each > a.each ? b : a));
    if (widest.each <= minFlexible) break;
    widths[widest.c] = Math.max(minFlexible, widest.each - (total() - width));
  }
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => pad(cut(cell, widths[c] ?? 0), widths[c] ?? 0))
      .join(gap)
      .trimEnd();
  return `${[columns.map(({ title }) => title), ...rows].map(line).join("\n")}\n`;
}

const lengthOf = (text: string): number => [...text].length;

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - lengthOf(text)));
}

/** Text in `width` characters: what differs between names is often their end. */
function cut(text: string, width: number): string {
  const chars = [...text];
  if (chars.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${chars.slice(0, width - 1 - end).join("")}…${chars.slice(chars.length - end).join("")}`;
}
