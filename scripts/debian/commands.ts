import { runBstArtifactReceive } from "../../src/cli/bst-artifact-receive.ts";
import { runBstArtifactServer } from "../../src/cli/bst-artifact-server.ts";
import { runStillage } from "../../src/cli/stillage.ts";

/** A command of a program, as its own help describes it. */
export interface CommandHelp {
  /** The words that lead to it, without the program's name. */
  readonly path: readonly string[];
  readonly text: string;
  readonly subcommands: readonly string[];
  /** With their dashes. */
  readonly flags: readonly string[];
}

const programs = {
  stillage: runStillage,
  "bst-artifact-server": runBstArtifactServer,
  "bst-artifact-receive": runBstArtifactReceive,
} as const;

/** A command and all below it, the outer ones first. */
export async function helpOf(program: keyof typeof programs, path: readonly string[] = []): Promise<CommandHelp[]> {
  const text = await printedBy(() => programs[program]([...path, "--help"]));
  const after = text.split(/^Commands:\n/m)[1] ?? "";
  const listed = after.split(/\n\n/)[0] ?? "";
  const subcommands = [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "help");
  const flags = [...new Set([...text.matchAll(/^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm)].map(([, flag = ""]) => flag))];
  const all: CommandHelp[] = [{ path, text, subcommands, flags }];
  for (const name of subcommands) all.push(...(await helpOf(program, [...path, name])));
  return all;
}

/** What goes to standard output while something runs. */
async function printedBy(run: () => Promise<number>): Promise<string> {
  const { write } = process.stdout;
  let text = "";
  process.stdout.write = ((piece: string) => {
    text += piece;
    return true;
  }) as typeof write;
  try {
    const status = await run();
    if (status !== 0) throw new Error(`help ends with ${status}`);
  } finally {
    process.stdout.write = write;
  }
  return text;
}
