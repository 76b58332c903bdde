import { parseArgs } from "node:util";
import { StillageError } from "../base/errors.ts";

/**
 * The flags of a pusher of BuildStream 1.0 that are his to choose: how much he wants to read. Where he says that the repository is does not matter, since whoever let him in
 * has said it. Errors: `invalid` for anything else.
 */
export function artifactReceiveFlags(args: readonly string[]): string[] {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { verbose: { type: "boolean", short: "v" }, debug: { type: "boolean", short: "d" } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new Error("one REPO goes here");
    return Object.keys(values).map((name) => `--${name}`);
  } catch (error) {
    throw new StillageError("invalid", "usage: bst-artifact-receive [--verbose] [--debug] REPO", {
      hint: (error as Error).message.split(". ")[0] ?? "",
    });
  }
}
