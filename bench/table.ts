/** Lines of cells; the first line is the head. */
export type Cells = readonly (readonly string[])[];

export type Style = "plain" | "markdown";

/** An aligned table: first column to the left, the others to the right. */
export function renderTable(cells: Cells, style: Style): string {
  const head = cells[0] ?? [];
  const widths = head.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string => {
    const padded = texts.map((text, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? text.padEnd(width) : text.padStart(width);
    });
    return style === "markdown" ? `| ${padded.join(" | ")} |` : padded.join("  ");
  };
  const rule = widths.map((width, column) =>
    style === "markdown" && column > 0 ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  return [line(head), line(rule), ...cells.slice(1).map(line)].join("\n");
}
