import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { programFile } from "../../support/program-file.ts";
import { runOk } from "./program.ts";

/** Who may do what at a server, and tokens for some. */
export interface AccessFiles {
  /** For `--access`. */
  readonly file: string;
  /** Makes a token with the program. */
  token(name: string): Promise<{ readonly text: string; readonly file: string }>;
}

/** Writes an access file with these rules into `folder`. */
export async function makeAccess(folder: string, rights: readonly object[]): Promise<AccessFiles> {
  const file = join(folder, "access.yaml");
  await writeFile(file, stringify({ tokens: "tokens", rights }));
  return {
    file,
    async token(name) {
      const words = [programFile("stillage"), "token", "create", name, "--access", file];
      const text = (await runOk(process.execPath, words)).trim();
      const path = join(folder, `${name}.token`);
      await writeFile(path, `${text}\n`);
      return { text, file: path };
    },
  };
}
