import type { Command } from "commander";

/** What the help calls values that name something which is there, or is to be. */
const named = /<(DIR|FILE|PLACE|REMOTE)>/;

const meanings: Readonly<Record<string, string>> = {
  DIR: "a directory",
  FILE: "a file",
  PLACE: "a place",
  REMOTE: "a remote",
  NAME: "PROJECT/ELEMENT/KEY",
  A: "PROJECT/ELEMENT/KEY",
  B: "PROJECT/ELEMENT/KEY",
  ELEMENT: "an element",
};

/**
 * Has a command refuse empty values of what names places, files and directories: they are variables that nobody set, and an empty path would be the working directory.
 */
export function refuseEmptyValues(command: Command): Command {
  return command.hook("preAction", (_, action) => {
    for (const option of action.options) {
      const [, kind] = named.exec(option.flags) ?? [];
      const value: unknown = action.getOptionValue(option.attributeName());
      if (kind !== undefined && [value].flat().includes("")) refuse(action, option.flags, kind);
    }
    for (const [i, argument] of action.registeredArguments.entries()) {
      const kind = /^(?:SRC|DST)$/.test(argument.name()) ? "PLACE" : argument.name();
      const values = argument.variadic ? action.args.slice(i) : [action.args[i]];
      if (kind in meanings && values.includes("")) refuse(action, argument.name(), kind);
    }
  });
}

function refuse(command: Command, what: string, kind: string): never {
  return command.error(`error: ${what}: it is empty, and ${meanings[kind]} goes here: is a variable not set?`);
}
