import { memberOf, parseYaml, textOf } from "../artifact/yaml-blob.ts";
import { StillageError } from "../base/errors.ts";
import {
  checkNamesOnce,
  type ShownSection,
  sectionsOfShow,
  shownItems,
  shownKey,
  shownName,
  shownNames,
  shownScalar,
} from "../project/bst-show.ts";
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

const fields = ["name", "key", "kind", "cas-digest", "source-info", "build-deps", "runtime-deps"] as const;
type Section = ShownSection<(typeof fields)[number]>;

/** Reads what `bst show` printed with `showFormat`. Errors: `invalid`, which says what is wrong in which line or element. */
export function parseBstShow(text: string): ShownElement[] {
  const elements = sectionsOfShow(text, fields, wrong).map(elementOf);
  checkNamesOnce(
    elements.map(({ name }) => name),
    wrong,
  );
  return elements;
}

function elementOf(section: Section, i: number): ShownElement {
  const name = shownName(section, i, wrong);
  const key = shownKey(section.key, name, wrong);
  const buildDeps = shownNames(section["build-deps"], name, wrong);
  const runtimeDeps = shownNames(section["runtime-deps"], name, wrong);
  const element = name.slice(name.lastIndexOf(":") + 1);
  return {
    ...{ name, element, key, kind: shownScalar(section.kind), casDigest: shownScalar(section["cas-digest"]) },
    sources: shownItems(section["source-info"], name, wrong)?.map((item) => sourceOf(item, name)),
    needs: buildDeps && runtimeDeps && [...new Set([...buildDeps, ...runtimeDeps])],
  };
}

const known = [
  ...["kind", "url", "medium", "version-type", "version", "version-guess"],
  ...["homepage", "issue-tracker"],
];

function sourceOf(text: string, element: string): ManifestSource {
  const value = parseYaml(Buffer.from(text))?.value;
  const [item] = Array.isArray(value) ? value : [];
  if (item === undefined) throw wrong(`what it says of ${JSON.stringify(element)} is not YAML: ${text.slice(0, 80)}`);
  const said = (key: string): string | null => textOf(memberOf(item, key)) ?? null;
  // Manifests and statements are published, and signed.
  const address = (key: string): string | null => publicValue(said(key)) as string | null;
  const kind = said("kind");
  if (kind === null || item === null || typeof item !== "object" || Array.isArray(item)) {
    throw wrong(`a source of ${JSON.stringify(element)} has no kind`);
  }
  const more = Object.entries(item).filter(([key]) => !known.includes(key));
  return {
    ...{ element, kind, url: address("url"), medium: said("medium") },
    ...{ versionType: said("version-type"), version: said("version"), versionGuess: said("version-guess") },
    ...{ homepage: address("homepage"), issueTracker: address("issue-tracker") },
    more: publicValue(Object.fromEntries(more) as Json) as { [key: string]: Json },
  };
}

function wrong(what: string): StillageError {
  return new StillageError("invalid", `this is not what \`bst show\` prints for a release: ${what}`, {
    hint: "docs/RELEASES.md has the command, with the format that it needs",
  });
}
