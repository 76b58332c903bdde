import { join } from "node:path";

const checkout = join(import.meta.dirname, "../..");

const sources = {
  stillage: "src/main.ts",
  "bst-artifact-server": "src/bst-artifact-server.ts",
  "bst-artifact-receive": "src/bst-artifact-receive.ts",
};

export type Program = keyof typeof sources;

/**
 * What Node has to run for one of the programs: its source, or the bundle of that name in the folder BUILT_PROGRAMS. The Makefile sets that to
 * bundles of the sources as they are, since tests start the programs many hundred times, and these start in a fourth of the time.
 */
export function programFile(program: Program): string {
  const built = process.env.BUILT_PROGRAMS;
  return built ? join(built, `${program}.js`) : join(checkout, sources[program]);
}
