import type { ArtifactContent } from "../../artifact/artifact-content.ts";
import type { Generation } from "../../store/artifact-refs.ts";
import type { ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";

/** The names that one generation's artifacts have at a server, by one of its protocols. Errors as of an ArtifactIndex. */
export interface ProtocolIndex {
  readonly generation: Generation;
  /** By the first of the question's keys that is known. */
  find(question: ArtifactQuestion, signal: AbortSignal): Promise<IndexedArtifact | undefined>;
  /** Puts the names that do not lead to it yet, in place of what they led to. */
  publish(artifact: IndexedArtifact, content: ArtifactContent, signal: AbortSignal): Promise<"published" | "present">;
}

/** What keys belong to. */
export type Element = Pick<IndexedArtifact, "project" | "element">;

/** `PROJECT/ELEMENT/KEY`, as all protocols have it. */
export function nameOf({ project, element }: Element, key: string): string {
  return `${project}/${element}/${key}`;
}

/** What a call is about, for messages. */
export function lookingFor(element: Element, key: string): string {
  return `looking for ${nameOf(element, key)}`;
}

/** What a call that names an artifact is about, for messages. */
export function naming(artifact: IndexedArtifact): string {
  return `giving a name to ${nameOf(artifact, artifact.keys[0] ?? "")}`;
}

/** What the first of `keys` leads to that `look` finds, and which one that is; they are looked for one after the other. */
export async function firstFound<T>(
  keys: readonly string[],
  look: (key: string) => Promise<T | undefined>,
): Promise<{ readonly key: string; readonly found: T } | undefined> {
  for (const key of keys) {
    const found = await look(key);
    if (found !== undefined) return { key, found };
  }
  return undefined;
}

/** Those of an artifact's keys that `leads` does not say are there, in their order. All are asked for at once. */
export async function keysToPut(
  { keys }: IndexedArtifact,
  leads: (key: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const there = await Promise.all(keys.map(leads));
  return keys.filter((_, i) => !there[i]);
}
