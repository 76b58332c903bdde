import { isCachedRef } from "../../cache/cached-ref.ts";
import { compareNames } from "../../ostree/names.ts";
import type { Checksum } from "../../ostree/object-name.ts";
import { globMatches } from "../../store/glob.ts";
import type { ArtifactGlob, ArtifactQuestion } from "../artifact-index.ts";

/** An artifact as refs name it: all those of one element that lead to one commit. */
export interface NamedCommit {
  readonly project: string;
  readonly element: string;
  /** In the order of their bytes: refs do not tell which is the strong one. */
  readonly keys: readonly string[];
  readonly commit: Checksum;
}

/** The artifacts that refs name, of which each is called `PROJECT/ELEMENT/KEY`. Other refs are none. */
export class NamedCommits {
  /** Where each key of an element leads, by `PROJECT/ELEMENT`. */
  private readonly elements = new Map<string, Map<string, Checksum>>();

  constructor(refs: Iterable<readonly [name: string, commit: Checksum]> = []) {
    for (const [name, commit] of refs) this.set(name, commit);
  }

  set(name: string, commit: Checksum): void {
    if (!isCachedRef(name)) return;
    const slash = name.lastIndexOf("/");
    const element = name.slice(0, slash);
    const keys = this.elements.get(element) ?? new Map<string, Checksum>();
    keys.set(name.slice(slash + 1), commit);
    this.elements.set(element, keys);
  }

  /** The commit of a ref. */
  get(name: string): Checksum | undefined {
    const slash = name.lastIndexOf("/");
    return this.elements.get(name.slice(0, slash))?.get(name.slice(slash + 1));
  }

  find({ project, element, keys }: Pick<ArtifactQuestion, "project" | "element" | "keys">): NamedCommit | undefined {
    const known = this.elements.get(`${project}/${element}`);
    const commit = keys.map((key) => known?.get(key)).find((each) => each !== undefined);
    if (known === undefined || commit === undefined) return undefined;
    return { project, element, keys: keysTo(known, commit), commit };
  }

  /** By their names. */
  *list(globs: readonly ArtifactGlob[]): Generator<NamedCommit> {
    for (const [name, known] of [...this.elements].sort(([a], [b]) => compareNames(a, b))) {
      const slash = name.indexOf("/");
      const [project, element] = [name.slice(0, slash), name.slice(slash + 1)];
      const fitting = globs.filter((glob) => globMatches(glob.project, project) && globMatches(glob.element, element));
      if (fitting.length === 0) continue;
      for (const commit of new Set(known.values())) {
        const keys = keysTo(known, commit);
        if (!fitting.some(({ key }) => keys.some((each) => globMatches(`${key}*`, each)))) continue;
        yield { project, element, keys, commit };
      }
    }
  }
}

function keysTo(known: ReadonlyMap<string, Checksum>, commit: Checksum): string[] {
  return [...known].filter(([, each]) => each === commit).map(([key]) => key);
}

/** The names of refs that lead to an artifact. */
export function refsOf({ project, element, keys }: Pick<ArtifactQuestion, "project" | "element" | "keys">): string[] {
  return keys.map((key) => `${project}/${element}/${key}`);
}
