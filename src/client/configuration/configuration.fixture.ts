import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isProblems } from "../../config/load.ts";
import { showProblem } from "../../config/problem.ts";
import type { ClientConfiguration, ClientSources } from "./client-configuration.ts";
import { readClientConfiguration } from "./read-configuration.ts";

/** A home and a project, of which a test writes the files, and what they come to. */
export interface ConfiguredFolder {
  readonly path: string;
  /** Or the problems, `FOLDER/` left out. */
  read(sources?: Partial<ClientSources>): ClientConfiguration | readonly string[];
}

/** Files by their paths: `home/.config/…`, `project/…`. */
export function configuredFolder(
  test: { after(end: () => void): void },
  files: Readonly<Record<string, string>>,
): ConfiguredFolder {
  const path = mkdtempSync(join(tmpdir(), "stillage-configuration-"));
  test.after(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, dirname(name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  const plain: ClientSources = {
    directory: existsSync(join(path, "project")) ? join(path, "project") : path,
    workingDirectory: path,
    environment: { HOME: join(path, "home") },
    dialect: undefined,
    buildstreamConfig: undefined,
    clientConfig: undefined,
    remotes: [],
    ignoreProjectRemotes: false,
    purpose: "all",
    cache: undefined,
    options: [],
  };
  return {
    path,
    read(sources = {}) {
      const read = readClientConfiguration({ ...plain, ...sources });
      return isProblems(read) ? read.map((problem) => showProblem(problem).replaceAll(`${path}/`, "")) : read;
    },
  };
}
