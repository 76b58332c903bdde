import type { CommandShape } from "../command-shape.ts";

/** Whether a value or an argument is a path, or may be one, going by what it is called. */
export function isFile(name: string): boolean {
  return /\b(FILE|DIR|DIRECTORY|PATH|STORE|BACKUP|TREE|PLACE|SRC|DST)\b/.test(name);
}

/** The flags of a command, in both spellings; only those that take a value. */
export function flagsOf({ options }: CommandShape, valued = false): string[] {
  return options
    .filter(({ value }) => !valued || value !== undefined)
    .flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
}

/** The flags of a command whose values are words of a list. */
export function fixedValues({
  options,
}: CommandShape): { readonly flags: string[]; readonly choices: readonly string[] }[] {
  return options
    .filter(({ choices }) => choices.length > 0)
    .map(({ long, short, choices }) => ({ flags: short === undefined ? [long] : [long, short], choices }));
}

/** Text between single quotes of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The first sentence of what is said, which is all that there is room for. */
export function shortly(says: string): string {
  const first = says.replace(/(?:[.;] | \(default).*/s, "");
  // What was cut within parentheses goes with them.
  return first.replace(/ \([^)]*$/, "").replaceAll("\n", " ");
}
