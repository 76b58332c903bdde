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

/** The keys on the way to a value, before a message about it. */
export function prefix(path: Path): string {
  const keys = path.filter((step) => typeof step === "string");
  return keys.length === 0 ? "" : `${keys.join(".")}: `;
}
