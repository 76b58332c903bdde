import type { ArtifactContent, ArtifactPart, BuildDependency } from "../../artifact/artifact-content.ts";
import { sameDigest } from "../../base/digest.ts";
import type { Generation } from "../../store/artifact-refs.ts";

/** What became of one thing that an artifact says of itself, in words; null where it is not there. */
export interface MetadataChange {
  readonly what: "name" | "generation" | "key" | "build" | "dependency" | "data" | "tree";
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** What is compared of an artifact besides its files. */
export interface ComparedArtifact {
  readonly project: string;
  readonly element: string;
  readonly generation: Generation;
  readonly content: ArtifactContent;
}

/** What differs between what two artifacts say of themselves: logs, which tell the time, are left out. */
export function metadataChanges(from: ComparedArtifact, to: ComparedArtifact): MetadataChange[] {
  return [
    ...changes("name", nameOf(from), nameOf(to)),
    ...changes("generation", new Map([["generation", from.generation]]), new Map([["generation", to.generation]])),
    ...changes("key", keysOf(from), keysOf(to)),
    ...changes("build", outcomeOf(from), outcomeOf(to)),
    ...changes("dependency", dependenciesOf(from), dependenciesOf(to)),
    ...dataChanges(from, to),
    ...changes("tree", treesOf(from), treesOf(to)),
  ];
}

type Named = ReadonlyMap<string, string>;

function changes(what: MetadataChange["what"], from: Named, to: Named): MetadataChange[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [from.get(name) ?? null, to.get(name) ?? null];
    return was === is ? [] : [{ what, name, from: was, to: is }];
  });
}

const nameOf = ({ project, element }: ComparedArtifact): Named => new Map([["name", `${project}/${element}`]]);

function keysOf({ content: { keys } }: ComparedArtifact): Named {
  return new Map(Object.entries(keys).flatMap(([role, key]) => (key === undefined ? [] : [[role, key] as const])));
}

function outcomeOf({ content: { build } }: ComparedArtifact): Named {
  const { success, error, workspaced } = build;
  const outcome = success === undefined ? "unknown" : success ? "succeeded" : "failed";
  return new Map([
    ["outcome", outcome],
    ...(error === undefined ? [] : [["error", error] as const]),
    ["in a workspace", workspaced ? "yes" : "no"],
  ]);
}

function dependenciesOf({ project: own, content: { dependencies } }: ComparedArtifact): Named {
  const name = ({ project, element }: BuildDependency): string => `${project ?? own}/${element}`;
  return new Map(dependencies.map((each) => [name(each), each.key]));
}

/** Files of metadata, of which the digests tell; those of a commit are of another function, and are in the commit. */
function dataChanges(from: ComparedArtifact, to: ComparedArtifact): MetadataChange[] {
  return ["public data", "environment", "variables"].flatMap((name) => {
    const [was, is] = [partOf(from.content.parts, name), partOf(to.content.parts, name)];
    if (was === undefined || is === undefined || sameDigest(was.digest, is.digest)) return [];
    return [{ what: "data" as const, name, from: was.digest.hash, to: is.digest.hash }];
  });
}

const partOf = (parts: readonly ArtifactPart[], name: string): ArtifactPart | undefined =>
  parts.find((part) => part.name === name);

/** Which trees there are; the files of each are compared by themselves. */
function treesOf({ content: { trees } }: ComparedArtifact): Named {
  return new Map(Object.keys(trees).map((name) => [name, "there"]));
}
