import { StillageError } from "../../base/errors.ts";
import {
  checkNamesOnce,
  maxShowBytes,
  sectionsOfShow,
  shownKey,
  shownName,
  shownNames,
  shownScalar,
} from "../../project/bst-show.ts";
import { askBst, type BstInstallation, bstVersion, programPath } from "./bst-installation.ts";
import { type Junction, nameProjects } from "./bst-projects.ts";

/** Which of an element's dependencies are meant, as `bst` has it. */
export const dependencyKinds = ["none", "build", "run", "all"] as const;
export type DependencyKind = (typeof dependencyKinds)[number];

/** An element as its project has it, with what its artifact is called. */
export interface BstElement {
  /** `sub/element.bst`, or `junction.bst:sub/element.bst`. */
  readonly name: string;
  readonly project: string;
  /** As artifacts are named: `sub-element`. */
  readonly element: string;
  /** Of strict mode: it stands for exactly what the element is built of. */
  readonly key: string;
}

/** An element with what it needs, by names. */
export interface BuiltElement extends BstElement {
  readonly kind: string;
  /** Whether a workspace is open for it: its artifact is nobody else's. */
  readonly workspaced: boolean;
  /** Whether sources of it are neither here nor in the project's own files. */
  readonly fetchNeeded: boolean;
  readonly buildDependencies: readonly string[];
  readonly runtimeDependencies: readonly string[];
}

export interface BstGraph {
  /** Dependencies first. */
  readonly elements: readonly BuiltElement[];
  /** What leads to the subprojects that elements are in, the outer ones first. */
  readonly junctions: readonly Junction[];
}

const format = `---
name: %{name}
key: %{full-key}
kind: %{kind}
workspaced: %{workspaced}
state: %{state}
build-deps:
%{build-deps}
runtime-deps:
%{runtime-deps}`;

const keyFormat = `---
name: %{name}
key: %{full-key}`;

const fields = ["name", "key", "kind", "workspaced", "state", "build-deps", "runtime-deps"] as const;

/** Kinds that stand for other projects and their elements. */
const leads = (kind: string): boolean => kind === "junction" || kind === "link";

/** Elements that a message lists. */
const listed = 5;

/**
 * The elements that are asked for and all that they need. Errors: `failed-precondition` where `bst show` fails, with what it said, and for elements without a key
 * because a source has no ref; `unsupported` for BuildStream 1; `invalid` for an output that is none.
 */
export async function readBstGraph(
  bst: BstInstallation,
  targets: readonly string[],
  signal: AbortSignal,
): Promise<BstGraph> {
  const words = ["show", "--deps", "all", "--order", "stage", "--format", format, "--", ...targets];
  const answer = await askBst(bst, words, maxShowBytes, signal).catch(async (error: unknown) => {
    const version = await bstVersion(bst, signal);
    throw version?.startsWith("1.") ? tooOld(bst, version) : error;
  });
  const sections = sectionsOfShow(answer, fields, wrong);
  checkKeys(sections);
  const elements = sections.map((section, i) => {
    const name = shownName(section, i, wrong);
    const buildDependencies = shownNames(section["build-deps"], name, wrong);
    const runtimeDependencies = shownNames(section["runtime-deps"], name, wrong);
    if (buildDependencies === undefined || runtimeDependencies === undefined) throw tooOld(bst, undefined);
    return {
      ...{ name, key: shownKey(section.key, name, wrong), kind: shownScalar(section.kind) ?? "" },
      ...{ workspaced: shownScalar(section.workspaced) !== undefined, buildDependencies, runtimeDependencies },
      fetchNeeded: shownScalar(section.state) === "fetch needed",
    };
  });
  checkNamesOnce(
    elements.map(({ name }) => name),
    wrong,
  );
  const junction = elements.find(({ name, kind }) => leads(kind) && targets.includes(name));
  if (junction !== undefined) {
    throw new StillageError(
      "failed-precondition",
      `${junction.name} is a ${junction.kind}: it leads to another project, and is not built`,
      { hint: `elements behind it are named ${junction.name}:ELEMENT.bst` },
    );
  }
  // Where no element is named, all of a project are meant, and these are listed among them.
  return nameProjects(
    bst,
    elements.filter(({ kind }) => !leads(kind)),
    signal,
  );
}

/**
 * What the artifacts of elements are called, with `deps` of those that are named; of every release of BuildStream. Errors: as of `readBstGraph`.
 */
export async function keysOfElements(
  bst: BstInstallation,
  elements: readonly string[],
  deps: DependencyKind,
  signal: AbortSignal,
): Promise<BstElement[]> {
  const words = ["show", "--deps", deps, "--format", keyFormat, "--", ...elements];
  const sections = sectionsOfShow(await askBst(bst, words, maxShowBytes, signal), fields, wrong);
  checkKeys(sections);
  const named = sections.map((section, i) => {
    const name = shownName(section, i, wrong);
    return { name, key: shownKey(section.key, name, wrong) };
  });
  return (await nameProjects(bst, named, signal)).elements;
}

/** Names all elements without a key at once: who has to track them would else find them one by one. */
function checkKeys(sections: readonly Partial<Record<(typeof fields)[number], string[]>>[]): void {
  const without = sections
    .filter(({ key }) => shownScalar(key)?.startsWith("?"))
    .map((section, i) => shownName(section, i, wrong));
  if (without.length === 0) return;
  const more = without.length > listed ? ` and ${without.length - listed} more` : "";
  const names = without.slice(0, listed).join(", ");
  throw new StillageError(
    "failed-precondition",
    `${names}${more} ${without.length === 1 ? "has" : "have"} no key, because a source has no ref`,
    {
      hint: `run \`bst source track ${without[0]}\`: what an element is built of has to be settled before it is looked for`,
    },
  );
}

function tooOld({ program }: BstInstallation, version: string | undefined): StillageError {
  const is = version === undefined ? "is too old to tell what an element depends on" : `is BuildStream ${version}`;
  return new StillageError("unsupported", `${programPath(program)} ${is}, and builds are driven with BuildStream 2`, {
    hint: "--bst names another one, or PATH has it first; BuildStream 1 builds by itself",
  });
}

function wrong(what: string): StillageError {
  return new StillageError("invalid", `this is not what \`bst show\` prints: ${what}`);
}
