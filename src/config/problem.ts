import type { Path } from "./check.ts";

/** Something wrong with what was set, and where it was said: `FILE:LINE:COLUMN`, a flag, or an environment variable. */
export interface Problem {
  readonly origin: string;
  readonly message: string;
}

/** One line for people. */
export function showProblem({ origin, message }: Problem): string {
  return `${origin}: ${message}`;
}

/** Orders what a file has by its place there, after what it does not have. */
export function byPosition(a: Problem, b: Problem): number {
  const [[line = 0, column = 0], [otherLine = 0, otherColumn = 0]] = [positionOf(a), positionOf(b)];
  return line - otherLine || column - otherColumn;
}

function positionOf({ origin }: Problem): number[] {
  return /:(\d+):(\d+)$/.exec(origin)?.slice(1).map(Number) ?? [];
}

/** The keys on the way to a value, before a message about it. */
export function prefix(path: Path): string {
  const keys = path.filter((step) => typeof step === "string");
  return keys.length === 0 ? "" : `${keys.join(".")}: `;
}
