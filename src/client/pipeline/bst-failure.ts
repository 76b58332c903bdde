import { plainLines } from "./bst-installation.ts";
import type { BstOutput, JobFailure } from "./bst-output.ts";

/** Lines of what `bst` said that a message has. */
const toldLines = 12;

/**
 * Why `bst` did not do what it should have done for an element, with the log that says more: what failed of it, or else of one that it was not told to build, which it needs then and wanted to have
 * first; or how it ended and what it said last.
 */
export function whyNot(
  name: string,
  { failures, lines }: BstOutput,
  ended: string,
  asked?: ReadonlySet<string>,
): JobFailure {
  const own = failures.get(name);
  if (own !== undefined) return own;
  const other = [...failures].find(([each]) => asked?.has(each) === false);
  if (other !== undefined) {
    const [needed, { why, log }] = other;
    return { why: `${needed}, which it needs, had gone from the local cache and was not built again: ${why}`, log };
  }
  const told = plainLines(lines.join("\n")).slice(-toldLines).join("; ");
  return { why: told === "" ? ended : `${ended}: ${told}`, log: undefined };
}
