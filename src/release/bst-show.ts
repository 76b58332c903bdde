import { memberOf, parseYaml, textOf, type YamlValue } from "../artifact/yaml-blob.ts";
import { StillageError } from "../base/errors.ts";
import type { Json, ManifestSource } from "./manifest.ts";
import { publicValue } from "./public-address.ts";

/**
 * What to give `bst show --deps all --format` for its output to be read here. `kind` is there from BuildStream 2.6 on and `source-info` from 2.5 on; lines of what a
 * release does not know may be left out, and so may `cas-digest: %{artifact-cas-digest}` be added where everything is built.
 */
export const showFormat = `---
name: %{name}
key: %{full-key}
kind: %{kind}
source-info:
%{source-info}
build-deps:
%{build-deps}
runtime-deps:
%{runtime-deps}`;

/** An element as `bst show` tells of it. */
export interface ShownElement {
  /** As it was printed: `element.bst`, or `junction.bst:element.bst`. */
  readonly name: string;
  /** The same without junctions. */
  readonly element: string;
  readonly key: string;
  readonly kind: string | undefined;
  /** `HASH/SIZE` of its files. */
  readonly casDigest: string | undefined;
  /** `undefined` where nothing was asked about them. */
  readonly sources: readonly ManifestSource[] | undefined;
  /** Names as printed of what it needs; `undefined` where nothing was asked about that. */
  readonly needs: readonly string[] | undefined;
}

/** An output of the largest systems, with ten thousand elements and their crates, has some twenty megabytes. */
export const maxShowBytes = 64 << 20;

const maxElements = 100_000;

/** Sources of one element: those that vendor packages of a language have some thousand. */
const maxSources = 20_000;

const fields = ["name", "key", "kind", "cas-digest", "source-info", "build-deps", "runtime-deps"] as const;
type FieldName = (typeof fields)[number];
type Section = Partial<Record<FieldName, string[]>>;

/** What follows `name:` of a field; deeper lines are indented, or are items of a list. */
const fieldLine = /^([a-z-]+):[ \t]*(.*)$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
const colours = /\u001b\[[0-9;]*m/g;

/** Reads what `bst show` printed with `showFormat`. Errors: `invalid`, which says what is wrong in which line or element. */
export function parseBstShow(text: string): ShownElement[] {
  const elements = sectionsOf(text.replace(colours, "")).map(elementOf);
  const seen = new Set<string>();
  for (const { name } of elements) {
    if (seen.has(name)) throw wrong(`it has the element ${JSON.stringify(name)} twice`);
    seen.add(name);
  }
  if (elements.length === 0) throw wrong("it has no element");
  return elements;
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  let lines: string[] | undefined;
  for (const [i, raw] of text.split("\n").entries()) {
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
  return sections;
}

function elementOf(section: Section, i: number): ShownElement {
  const name = scalarOf(section.name);
  if (name === undefined) throw wrong(`its element ${i + 1} has no name`);
  const key = scalarOf(section.key);
  if (key === undefined || !/^[0-9a-f]{64}$/.test(key)) {
    const why = key?.startsWith("?") ? "has no key, because a source has no ref" : "has no full key";
    throw wrong(`the element ${JSON.stringify(name)} ${why}`);
  }
  const buildDeps = namesIn(section["build-deps"], name);
  const runtimeDeps = namesIn(section["runtime-deps"], name);
  const element = name.slice(name.lastIndexOf(":") + 1);
  return {
    ...{ name, element, key, kind: scalarOf(section.kind), casDigest: scalarOf(section["cas-digest"]) },
    sources: itemsIn(section["source-info"], name)?.map((item) => sourceOf(item, name)),
    needs: buildDeps && runtimeDeps && [...new Set([...buildDeps, ...runtimeDeps])],
  };
}

/** A word; `undefined` for none, and for what this BuildStream does not know and so prints as it was asked. */
function scalarOf(lines: readonly string[] | undefined): string | undefined {
  const text = lines?.join(" ").trim() ?? "";
  return text === "" || text.startsWith("%{") ? undefined : text;
}

function namesIn(lines: readonly string[] | undefined, name: string): string[] | undefined {
  return itemsIn(lines, name)?.map((item) => {
    const text = textOf(item);
    if (text === undefined) throw wrong(`the dependencies of ${JSON.stringify(name)} are not names`);
    return text;
  });
}

/** The items of a list at the margin, each read alone: thousands in one text would take a parser long. */
function itemsIn(lines: readonly string[] | undefined, name: string): YamlValue[] | undefined {
  const there = lines?.filter((line) => line.trim() !== "");
  if (there === undefined || there[0]?.startsWith("%{")) return undefined;
  if (there.length === 0 || (there.length === 1 && there[0]?.trim() === "[]")) return [];
  const texts: string[] = [];
  for (const line of there) {
    if (line.startsWith("- ")) texts.push(line);
    else if (/^\s/.test(line) && texts.length > 0) texts[texts.length - 1] += `\n${line}`;
    else throw wrong(`what it says of ${JSON.stringify(name)} is not a list: ${line.slice(0, 80)}`);
  }
  if (texts.length > maxSources) throw wrong(`${JSON.stringify(name)} has more than ${maxSources} sources`);
  return texts.map((text) => {
    const value = parseYaml(Buffer.from(text))?.value;
    const [item] = Array.isArray(value) ? value : [];
    if (item === undefined) throw wrong(`what it says of ${JSON.stringify(name)} is not YAML: ${text.slice(0, 80)}`);
    return item;
  });
}

const known = [
  ...["kind", "url", "medium", "version-type", "version", "version-guess"],
  ...["homepage", "issue-tracker"],
];

function sourceOf(item: YamlValue, element: string): ManifestSource {
  const text = (key: string): string | null => textOf(memberOf(item, key)) ?? null;
  // Manifests and statements are published, and signed.
  const address = (key: string): string | null => publicValue(text(key)) as string | null;
  const kind = text("kind");
  if (kind === null || item === null || typeof item !== "object" || Array.isArray(item)) {
    throw wrong(`a source of ${JSON.stringify(element)} has no kind`);
  }
  const more = Object.entries(item).filter(([key]) => !known.includes(key));
  return {
    ...{ element, kind, url: address("url"), medium: text("medium") },
    ...{ versionType: text("version-type"), version: text("version"), versionGuess: text("version-guess") },
    ...{ homepage: address("homepage"), issueTracker: address("issue-tracker") },
    more: publicValue(Object.fromEntries(more) as Json) as { [key: string]: Json },
  };
}

function wrong(what: string): StillageError {
  return new StillageError("invalid", `this is not what \`bst show\` prints for a release: ${what}`, {
    hint: "docs/RELEASES.md has the command, with the format that it needs",
  });
}
