import { StillageError } from "../base/errors.ts";

/** What Linux allows for one variable of the environment, in which the line comes. */
const maxLength = 131_072;

/** What a shell does more with than to pass it on. */
const special = new Set("|&;<>()$`*?[]{}~#!");
/** What a backslash escapes between double quotes (POSIX, Shell Command Language, 2.2.3). */
const escapable = new Set('$`"\\');

/**
 * The words of a command line as a POSIX shell would see them: spaces between, quotes and backslashes. There is no shell here, so what one would expand or
 * act on is refused instead of taken literally, unless it is quoted. Errors: `invalid`.
 */
export function shellWords(line: string): string[] {
  if (line.length > maxLength) throw new StillageError("invalid", `the command line is longer than ${maxLength} bytes`);
  if (/\p{Cc}/u.test(line)) throw new StillageError("invalid", "there is a control character in the command line");
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (line[at] === " ") {
      at += 1;
      continue;
    }
    const [word, end] = wordAt(line, at);
    words.push(word);
    at = end;
  }
  return words;
}

/** The word that begins at a position, and where it ends. */
function wordAt(line: string, start: number): [word: string, end: number] {
  let word = "";
  let at = start;
  while (at < line.length && line[at] !== " ") {
    const character = line[at] as string;
    if (character === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) throw open(character);
      word += line.slice(at + 1, end);
      at = end + 1;
    } else if (character === '"') {
      const [quoted, end] = quotedAt(line, at + 1);
      word += quoted;
      at = end;
    } else if (character === "\\") {
      if (at + 1 === line.length) throw open(character);
      word += line[at + 1];
      at += 2;
    } else if (special.has(character)) throw meaning(character);
    else {
      word += character;
      at += 1;
    }
  }
  return [word, at];
}

/** What is between double quotes, and where it goes on behind them. */
function quotedAt(line: string, start: number): [text: string, end: number] {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const character = line[at] as string;
    if (character === '"') return [text, at + 1];
    if (character === "$" || character === "`") throw meaning(character);
    const next = line[at + 1];
    if (character === "\\" && next !== undefined && escapable.has(next)) {
      text += next;
      at += 1;
    } else text += character;
  }
  throw open('"');
}

function open(character: string): StillageError {
  return new StillageError("invalid", `nothing ends the ${character} in the command line`);
}

function meaning(character: string): StillageError {
  return new StillageError("invalid", `${character} in the command line would need a shell, and there is none`, {
    hint: "quote it where it is part of a name",
  });
}
