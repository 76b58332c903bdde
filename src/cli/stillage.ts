import { clientCommandOf } from "./client-commands.ts";

/**
 * The program `stillage`; gives its exit status. Commands that are to begin at once are a program of their own, which the build puts into one file: a program of many
 * takes three times as long to begin.
 */
export async function runStillage(args: readonly string[]): Promise<number> {
  const { run } =
    clientCommandOf(args) !== undefined ? await import("./client-program.ts") : await import("./whole-program.ts");
  return run(args);
}
