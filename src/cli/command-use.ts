import type { Command } from "commander";

/** A command line that somebody would really type, and what it is for. */
export interface Example {
  readonly says: string;
  readonly run: string;
}

/** What a command ends with, in words. */
export interface Statuses {
  readonly done: string;
  readonly failed: string;
  readonly usage: string;
}

/** What is told of a command beside its arguments and flags: at the end of its help, and in its manual page. */
export interface CommandUse {
  /** Paragraphs. */
  readonly notes: readonly string[];
  readonly examples: readonly Example[];
  readonly statuses: Statuses;
  /** The file that tells all about it, such as `docs/EXPIRY.md`. */
  readonly see: string | undefined;
}

const usual: Statuses = { done: "done", failed: "a failure", usage: "wrong usage or configuration" };
const nothing: CommandUse = { notes: [], examples: [], statuses: usual, see: undefined };

const uses = new WeakMap<Command, CommandUse>();

export function useOf(command: Command): CommandUse {
  return uses.get(command) ?? nothing;
}

/** Adds to what is told of a command. Notes and examples come after those that are there; a status or file replaces what was said before. */
export function addUse(
  command: Command,
  more: Partial<Omit<CommandUse, "statuses">> & { readonly statuses?: Partial<Statuses> },
): Command {
  const { notes, examples, statuses, see } = useOf(command);
  uses.set(command, {
    notes: [...notes, ...(more.notes ?? [])],
    examples: [...examples, ...(more.examples ?? [])],
    statuses: { ...statuses, ...more.statuses },
    see: more.see ?? see,
  });
  return command;
}

/** Columns of help where nothing tells how many there are: those of its list of flags. */
const usualWidth = 80;

/** The end of a command's help. One that only has others below it ends with nothing. */
export function useText(command: Command): string {
  const { notes, examples, see } = useOf(command);
  const help = command.createHelp();
  const width = process.stdout.columns ?? usualWidth;
  const shown = examples.map(({ says, run }) => `  # ${says}\n  ${run}`);
  const parts = [
    notes.map((note) => help.boxWrap(note, width)).join("\n"),
    shown.length === 0 ? "" : `${shown.length === 1 ? "Example" : "Examples"}:\n${shown.join("\n")}`,
    command.commands.length > 0 ? "" : help.boxWrap(statusLine(command), width),
    see === undefined ? "" : `All about it: ${see}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : `\n${parts.join("\n\n").replace("\n\nAll about it", "\nAll about it")}`;
}

function statusLine(command: Command): string {
  const { done, failed, usage } = useOf(command).statuses;
  return `Exit status: 0 ${done}, 1 ${failed}, 2 ${usage}.`;
}
