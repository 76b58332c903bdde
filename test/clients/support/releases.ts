import assert from "node:assert/strict";
import { type Outcome, run } from "../../cli/support/programs.ts";

/** The commands of `stillage release` on one directory of repositories. */
export interface ReleaseCommands {
  /** Whatever comes of it. */
  run(command: string, ...words: readonly string[]): Promise<Outcome>;
  /** Its output, where it ends well. */
  ok(command: string, ...words: readonly string[]): Promise<string>;
  /** What it says as JSON, where it ends well. */
  json<T>(command: string, ...words: readonly string[]): Promise<T>;
}

export function releaseCommands(releases: string, environment: Readonly<Record<string, string>> = {}): ReleaseCommands {
  const env = { ...environment, STILLAGE_RELEASES: releases };
  const runIt = (command: string, ...words: readonly string[]) =>
    run("stillage", ["release", command, ...words], { cwd: releases, env });
  const ok = async (command: string, ...words: readonly string[]) => {
    const { status, stdout, stderr } = await runIt(command, ...words);
    assert.equal(status, 0, `release ${command}: ${stderr}`);
    return stdout;
  };
  return {
    run: runIt,
    ok,
    json: async <T>(command: string, ...words: readonly string[]) =>
      JSON.parse(await ok(command, ...words, "--json")) as T,
  };
}

/** What `release create --json` says. */
export interface Created {
  readonly outcome: string;
  readonly content: { readonly checksum: string; readonly files: number };
  readonly releases: readonly { readonly branch: string; readonly commit: string; readonly new: boolean }[];
}
