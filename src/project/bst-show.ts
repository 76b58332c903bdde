import { parseDocument } from "yaml";
import type { StillageError } from "../base/errors.ts";

/** An output of the largest systems, with ten thousand elements and their crates, has some twenty megabytes. */
export const maxShowBytes = 64 << 20;

const maxElements = 100_000;

/** Items of one list: elements that vendor packages of a language have some thousand sources. */
const maxItems = 20_000;

/** The longest that names are: three paths, one in the other's project. */
const maxNameLength = 4096 * 3;

/** Makes the error that says what is wrong with an output. */
export type Wrong = (what: string) => StillageError;

/** The lines of each field of one element. */
export type ShownSection<Field extends string> = Partial<Record<Field, string[]>>;

/** What follows `name:` of a field; deeper lines are indented, or are items of a list. */
const fieldLine = /^([a-z-]+):[ \t]*(.*)$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
const colours = /\u001b\[[0-9;]*m/g;

/**
 * Reads what `bst show` printed for a format in which each element is `---` and then, a line each or with lists below, `field: %{symbol}` for some of `fields`.
 * Errors: what `wrong` makes.
 */
export function sectionsOfShow<Field extends string>(
  text: string,
  fields: readonly Field[],
  wrong: Wrong,
): ShownSection<Field>[] {
  const sections: ShownSection<Field>[] = [];
  let lines: string[] | undefined;
  for (const [i, raw] of text.replace(colours, "").split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (line === "---") {
      if (sections.length === maxElements) throw wrong(`it has more than ${maxElements} elements`);
      sections.push({});
      lines = undefined;
      continue;
    }
    const section = sections.at(-1);
    const [, name, rest = ""] = fieldLine.exec(line) ?? [];
    const field = fields.find((each) => each === name);
    if (section !== undefined && field !== undefined) {
      if (section[field] !== undefined) throw wrong(`line ${i + 1} says the ${field} of an element again`);
      lines = [rest];
      section[field] = lines;
    } else if (line.trim() !== "") {
      if (lines === undefined || /^[^\s\-[\]{}%]/.test(line)) throw wrong(`line ${i + 1} is not of the form asked for`);
      lines.push(line);
    }
  }
  if (sections.length === 0) throw wrong("it has no element");
  return sections;
}

/** A word; `undefined` for none, and for what this BuildStream does not know and so prints as it was asked. */
export function shownScalar(lines: readonly string[] | undefined): string | undefined {
  const text = lines?.join(" ").trim() ?? "";
  return text === "" || text.startsWith("%{") ? undefined : text;
}

/** The name of a section's element. */
export function shownName(section: ShownSection<"name">, index: number, wrong: Wrong): string {
  const name = shownScalar(section.name);
  if (name === undefined) throw wrong(`its element ${index + 1} has no name`);
  return name;
}

/** The full key of the element `name`. Errors: for an element without one, which says why. */
export function shownKey(lines: readonly string[] | undefined, name: string, wrong: Wrong): string {
  const key = shownScalar(lines);
  if (key !== undefined && /^[0-9a-f]{64}$/.test(key)) return key;
  const why = key?.startsWith("?") ? "has no key, because a source has no ref" : "has no full key";
  throw wrong(`the element ${JSON.stringify(name)} ${why}`);
}

/** The names in a list of the element `name`; `undefined` where it was not asked for. */
export function shownNames(lines: readonly string[] | undefined, name: string, wrong: Wrong): string[] | undefined {
  return shownItems(lines, name, wrong)?.map((item) => {
    const plain = /^- ([^\s'"#&*!|>%@`{[\]}][^'"#\n]*)$/.exec(item)?.[1];
    const text = plain !== undefined && !plain.includes(": ") ? plain : quotedName(item);
    if (text === undefined) throw wrong(`the dependencies of ${JSON.stringify(name)} are not names`);
    return text;
  });
}

/** A list of one name, in any form that YAML has. */
function quotedName(item: string): string | undefined {
  if (item.length > maxNameLength) return undefined;
  const document = parseDocument(item, { schema: "failsafe", logLevel: "silent" });
  if (document.errors.length > 0) return undefined;
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  const [name] = Array.isArray(value) ? value : [];
  return typeof name === "string" && name !== "" ? name : undefined;
}

/** The items of a list at the margin, each with its `- `, to be read alone: thousands in one text would take a parser long. */
export function shownItems(lines: readonly string[] | undefined, name: string, wrong: Wrong): string[] | undefined {
  const there = lines?.filter((line) => line.trim() !== "");
  if (there === undefined || there[0]?.startsWith("%{")) return undefined;
  if (there.length === 0 || (there.length === 1 && there[0]?.trim() === "[]")) return [];
  const items: string[] = [];
  for (const line of there) {
    if (line.startsWith("- ")) items.push(line);
    else if (/^\s/.test(line) && items.length > 0) items[items.length - 1] += `\n${line}`;
    else throw wrong(`what it says of ${JSON.stringify(name)} is not a list: ${line.slice(0, 80)}`);
  }
  if (items.length > maxItems) throw wrong(`a list of ${JSON.stringify(name)} has more than ${maxItems} items`);
  return items;
}

/** Errors: for a name that is there twice. */
export function checkNamesOnce(names: Iterable<string>, wrong: Wrong): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw wrong(`it has the element ${JSON.stringify(name)} twice`);
    seen.add(name);
  }
}
