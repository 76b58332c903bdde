import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import type { Generation } from "../artifact-refs.ts";
import type { Space } from "../ref-store.ts";
import type { ArtifactRow } from "./ref-change.ts";
import { eachRoot } from "./root-lines.ts";

/** What a ref of format 1 says, in which nothing told which artifact a ref names. */
export interface FirstRef {
  readonly space: Space;
  readonly name: string;
  readonly message: Uint8Array;
  readonly roots: string;
}

/** How the names begin of what names artifacts: of BuildStream 2, 1.1.4 to 1.6, 1.91 to 1.93, and 1.0, which came with format 4. */
const beginnings: readonly (readonly [space: Space, beginning: string, generation: Generation])[] = [
  ["asset", "blob\nurn:fdc:buildstream.build:2020:artifact:", "2.x"],
  ["asset", "directory\nurn:fdc:buildstream.build:2020:v1:", "1.x"],
  ["reference", "artifact\n", "1.9x"],
  ["ostree", "", "1.0"],
];

/** The artifact that a ref names, by what it has in every format; `undefined` where it names none, or cannot be read. The rules of a kind of names do not change. */
export function artifactOfFirstFormat(ref: FirstRef): ArtifactRow | undefined {
  for (const [space, beginning, generation] of beginnings) {
    if (ref.space !== space || !ref.name.startsWith(beginning)) continue;
    const name = ref.name.slice(beginning.length);
    // What follows on another line are qualifiers, which artifacts have not.
    const parts = /^([^/\n]+)\/([^\n]+)\/([^/\n]+)$/.exec(name);
    const content = generation === "1.9x" ? digestOf(sha256, ref.message) : firstRoot(ref.roots);
    const [, project, element, key] = parts ?? [];
    if (project === undefined || element === undefined || key === undefined || content === undefined) return undefined;
    const { function: fn, hash, size } = content;
    return { project, element, key, generation, content: `${fn.name} ${hash} ${size}` };
  }
  return undefined;
}

function firstRoot(roots: string): Digest | undefined {
  const first = eachRoot(roots).next();
  return first.done ? undefined : first.value.digest;
}
