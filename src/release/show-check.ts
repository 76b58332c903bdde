import type { BuildDependency } from "../artifact/artifact-content.ts";
import { normalName } from "../artifact/element-name.ts";
import { StillageError } from "../base/errors.ts";
import type { ShownElement } from "./bst-show.ts";
import type { ManifestDependency, ManifestSource } from "./manifest.ts";

/** What an artifact says of itself, as far as `bst show` says it too. */
export interface ArtifactFacts {
  readonly project: string;
  /** As the catalogue has it. */
  readonly element: string;
  /** All that it is known by; the strong one first. */
  readonly keys: readonly string[];
  /** `HASH/SIZE` of its files, where they are a Directory by SHA-256. */
  readonly casDigest: string | undefined;
  readonly dependencies: readonly BuildDependency[];
}

/** What artifact and output say together. */
export interface Origins {
  readonly kind: string | undefined;
  readonly sources: readonly ManifestSource[] | null;
  readonly dependencies: readonly ManifestDependency[] | null;
  /** What only one of them says, a sentence each. */
  readonly notes: readonly string[];
}

/** Names that a sentence lists. */
const listedNames = 5;

/** What an artifact alone says. */
export function originsOfArtifact({ dependencies }: Pick<ArtifactFacts, "dependencies">): Origins {
  const said = dependencies.map((each) => dependencyOf(each, undefined));
  return { kind: undefined, sources: null, dependencies: said.sort(byName), notes: [] };
}

/** What an output alone says, of a directory that somebody checked out. */
export function originsOfShow(shown: readonly ShownElement[]): Origins {
  const dependencies = shown.map(shownDependency).sort(byName);
  return { kind: undefined, sources: sourcesOf(shown), dependencies, notes: [] };
}

/**
 * What an artifact and `bst show` say of one element. Errors: `failed-precondition` where they contradict each other: a key or a digest that differs, named
 * with both values; `not-found` where the output does not have the element.
 */
export function originsOf(artifact: ArtifactFacts, shown: readonly ShownElement[]): Origins {
  const own = ownElement(artifact, shown);
  const needed = neededBy(own, shown);
  const rest = new Set(needed.filter((each) => each !== own));
  const dependencies: ManifestDependency[] = [];
  const onlyArtifact: string[] = [];
  for (const dependency of artifact.dependencies) {
    const match = matchOf(dependency, rest, artifact);
    if (match === undefined) onlyArtifact.push(dependency.element);
    else rest.delete(match);
    dependencies.push(dependencyOf(dependency, match));
  }
  const onlyShow = [...rest];
  dependencies.push(...onlyShow.map(shownDependency));
  const notes: string[] = [];
  if (onlyArtifact.length > 0) {
    notes.push(`the artifact alone names ${listed(onlyArtifact)}, with which it was built`);
  }
  if (onlyShow.length > 0) {
    notes.push(`\`bst show\` alone names ${listed(onlyShow.map(({ name }) => name))}`);
  }
  return { kind: own.kind, sources: sourcesOf(needed), dependencies: dependencies.sort(byName), notes };
}

function ownElement(artifact: ArtifactFacts, shown: readonly ShownElement[]): ShownElement {
  const { project, element, keys, casDigest } = artifact;
  const named = shown.filter((each) => normalName(each.element) === normalName(element));
  const own = named.find(({ key }) => keys.includes(key)) ?? named[0];
  if (own === undefined) {
    throw new StillageError("not-found", `what \`bst show\` printed does not have the element ${element}`, {
      hint: `run it for ${element}, with --deps all`,
    });
  }
  if (!keys.includes(own.key)) {
    throw contradiction(`the key of ${project}/${element}`, keys[0] ?? "none", own.key);
  }
  if (casDigest !== undefined && own.casDigest !== undefined && casDigest !== own.casDigest) {
    throw contradiction(`the files of ${project}/${element}`, casDigest, own.casDigest);
  }
  return own;
}

/** An element and all that it needs, also of what needs that; all there is where the output does not say what needs what. */
function neededBy(own: ShownElement, shown: readonly ShownElement[]): readonly ShownElement[] {
  if (shown.some(({ needs }) => needs === undefined)) return shown;
  const byShownName = new Map(shown.map((each) => [each.name, each]));
  const found = new Set([own]);
  for (const each of found) {
    for (const name of each.needs ?? []) {
      const next = byShownName.get(name);
      if (next !== undefined) found.add(next);
    }
  }
  return [...found];
}

function matchOf(
  { element, key }: BuildDependency,
  candidates: ReadonlySet<ShownElement>,
  artifact: ArtifactFacts,
): ShownElement | undefined {
  const bare = element.slice(element.lastIndexOf(":") + 1);
  const named = [...candidates].filter((each) => each.element === bare);
  const same = named.find((each) => each.key === key);
  // Of two elements of one name in two projects, the other one may be meant.
  if (same !== undefined || named.length !== 1) return same;
  const what = `the key of ${element}, with which ${artifact.project}/${artifact.element} was built`;
  throw contradiction(what, key, named[0]?.key ?? "");
}

function contradiction(what: string, artifact: string, show: string): StillageError {
  return new StillageError(
    "failed-precondition",
    `${what} is ${artifact} in the artifact, and ${show} in what \`bst show\` printed`,
    {
      hint: "run `bst show` where the artifact was built: the same commit, options and BuildStream",
    },
  );
}

function dependencyOf(dependency: BuildDependency, shown: ShownElement | undefined): ManifestDependency {
  const { project = null, element, key, workspaced } = dependency;
  const said = shown === undefined ? "artifact" : "both";
  return { project, element: shown?.name ?? element, key, kind: shown?.kind ?? null, workspaced, said };
}

function shownDependency({ name, key, kind }: ShownElement): ManifestDependency {
  return { project: null, element: name, key, kind: kind ?? null, workspaced: false, said: "show" };
}

/** Sources of an element stay in their order, which means something: what comes later is laid over what came before. */
function sourcesOf(shown: readonly ShownElement[]): ManifestSource[] | null {
  if (shown.every(({ sources }) => sources === undefined)) return null;
  const sorted = [...shown].sort((a, b) => compare(a.name, b.name));
  return sorted.flatMap(({ sources }) => sources ?? []);
}

function byName(a: ManifestDependency, b: ManifestDependency): number {
  return compare(a.project ?? "", b.project ?? "") || compare(a.element, b.element) || compare(a.key, b.key);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function listed(names: readonly string[]): string {
  const shown = [...names].sort().slice(0, listedNames).join(", ");
  return names.length > listedNames ? `${shown} and ${names.length - listedNames} more` : shown;
}
