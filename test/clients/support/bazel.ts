import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installed } from "./checkout.ts";
import { type ProgramResult, runProgram } from "./program.ts";

/** Rules of the workspace, which are actions that `bazel build //:all` runs. */
export const actionCount = 5;

/**
 * Writes a workspace of genrules. Each output has the time of its making in it, so that equal outputs come from one run
 * and not from two; one is above every batch limit.
 */
export async function writeWorkspace(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "WORKSPACE"), 'workspace(name = "harbour")\n');
  await writeFile(join(folder, "crane.txt"), "lifts 40 t\n");
  const rules = [
    genrule("stamp", [], ["stamp.txt"], "date +%s.%N > $@"),
    genrule("crane", ["crane.txt", ":stamp"], ["crane.out"], "cat $(SRCS) > $@; date +%N >> $@; echo loaded >&2"),
    genrule("pair", [":crane"], ["left.txt", "sub/right.txt"], "for out in $(OUTS); do cat $(SRCS) > $$out; done"),
    genrule("big", [":stamp"], ["big.bin"], "head -c 6000000 /dev/urandom > $@"),
    genrule("tool", [], ["tool.sh"], "echo '#!/bin/sh' > $@; chmod +x $@", "executable = True,"),
  ];
  await writeFile(join(folder, "BUILD"), rules.join("\n"));
}

function genrule(name: string, sources: string[], outputs: string[], command: string, more = ""): string {
  const list = (items: string[]) => JSON.stringify(items);
  return `genrule(name = "${name}", srcs = ${list(sources)}, outs = ${list(outputs)}, ${more} cmd = ${JSON.stringify(command)})`;
}

export interface BazelResult extends ProgramResult {
  /** Actions by how they ran, as the last line of a build counts them. */
  readonly remoteHits: number;
  readonly local: number;
}

/** Builds on a machine of its own, which `root` is the output root of: a new root knows nothing of other builds. */
export async function bazelBuild(workspace: string, root: string, ...options: string[]): Promise<BazelResult> {
  const bazel = await installed("/usr/bin/bazel", "bazel.sh");
  const startup = ["--batch", "--nohome_rc", "--noworkspace_rc", `--output_user_root=${root}`];
  const flags = ["--color=no", "--curses=no", "--spawn_strategy=local", "--genrule_strategy=local"];
  const result = await runProgram(bazel, [...startup, "build", ...flags, ...options, "//:all"], {
    cwd: workspace,
    env: { PATH: process.env.PATH, HOME: root, LANG: "C.UTF-8" },
  });
  const count = (kind: string) => Number(new RegExp(`processes?: .*?(\\d+) ${kind}`).exec(result.stderr)?.[1] ?? 0);
  return { ...result, remoteHits: count("remote cache hit"), local: count("local") };
}
