import type { Clock } from "../../base/clock.ts";
import { showDigest } from "../../base/digest.ts";
import {
  type ArtifactEntry,
  type ArtifactName,
  type ArtifactPosition,
  type ArtifactQuery,
  type ArtifactRefs,
  type ArtifactSort,
  type ElementAndKey,
  type FoundArtifact,
  type ListedArtifact,
  maxKeys,
} from "../artifact-refs.ts";
import { globMatches } from "../glob.ts";
import type { Ref } from "../ref-store.ts";

/** A ref as it is kept, with its place in the order of all puts, and that of the put that was its first. */
export interface KeptRef extends Ref {
  readonly artifact: ArtifactEntry | undefined;
  readonly order: number;
  readonly id: number;
}

/** The artifacts among refs in memory, grouped anew for each question. */
export class MemoryArtifactRefs implements ArtifactRefs {
  private readonly refs: ReadonlyMap<string, KeptRef>;
  private readonly clock: Clock;
  /** Numbers of artifacts by their names, kept for as long as this is. */
  private readonly ids = new Map<string, number>();

  constructor(refs: ReadonlyMap<string, KeptRef>, clock: Clock) {
    this.refs = refs;
    this.clock = clock;
  }

  list(query: ArtifactQuery): ListedArtifact[] {
    const { sort, after, limit } = query;
    const compare = comparisons[sort];
    const all = this.artifacts(query.instance).filter((each) => matches(each, query));
    const rest = after === undefined ? all : all.filter((each) => compare(each, after) > 0);
    return rest
      .sort(compare)
      .slice(0, limit)
      .map(({ refs: _, ...artifact }) => withKeys(artifact));
  }

  find(instance: string, name: ArtifactName): FoundArtifact | undefined {
    const found = this.newest(instance, name);
    if (found === undefined) return undefined;
    const { refs, ...artifact } = found;
    const expiries = refs.map((ref) => ref.expires ?? Number.POSITIVE_INFINITY);
    const { artifact: _, order: __, id: ___, ...ref } = refs[0] as KeptRef;
    return {
      ...withKeys(artifact),
      ref,
      used: Math.max(...refs.map(({ used }) => used)),
      expires: expiries.includes(Number.POSITIVE_INFINITY) ? undefined : Math.max(...expiries),
      pinned: refs.some(({ pinned }) => pinned),
    };
  }

  projectOf(instance: string, name: ElementAndKey): string | undefined {
    return this.newest(instance, name)?.project;
  }

  count(instance: string): number {
    return this.artifacts(instance).length;
  }

  private newest(instance: string, { project, element, key }: ElementAndKey): Grouped | undefined {
    const named = this.artifacts(instance).filter(
      (each) =>
        each.element === element && (project ?? each.project) === each.project && each.keys.some((own) => own === key),
    );
    return named.sort(comparisons.newest)[0];
  }

  private artifacts(instance: string): Grouped[] {
    const now = this.clock();
    const groups = new Map<string, KeptRef[]>();
    for (const ref of this.refs.values()) {
      if (ref.artifact === undefined || ref.instance !== instance) continue;
      if (ref.expires !== undefined && ref.expires <= now) continue;
      const { project, element, generation, content } = ref.artifact;
      const id = JSON.stringify([instance, project, element, generation, showDigest(content)]);
      groups.set(id, [...(groups.get(id) ?? []), ref]);
    }
    return [...groups].map(([name, refs]) => grouped(refs, this.idOf(name)));
  }

  private idOf(name: string): number {
    const id = this.ids.get(name) ?? this.ids.size + 1;
    this.ids.set(name, id);
    return id;
  }
}

/** An artifact with all its refs, and all their keys. */
type Grouped = Omit<ListedArtifact, "moreKeys"> & { readonly refs: readonly KeptRef[] };

function grouped(group: KeptRef[], id: number): Grouped {
  const refs = group.sort((a, b) => a.stored - b.stored || a.order - b.order);
  const last = refs.at(-1) as KeptRef;
  const { project, element, generation, content } = last.artifact as ArtifactEntry;
  const keys = refs.map((ref) => ref.artifact?.key ?? "");
  return {
    instance: last.instance,
    project,
    element,
    generation,
    content,
    id,
    keys,
    by: last.by,
    pushed: last.stored,
    refs,
  };
}

function withKeys(artifact: Omit<ListedArtifact, "moreKeys">): ListedArtifact {
  const { keys } = artifact;
  return { ...artifact, keys: keys.slice(0, maxKeys), moreKeys: keys.length > maxKeys };
}

function matches(artifact: Grouped, { project, elements, key = "", search }: ArtifactQuery): boolean {
  if (project !== undefined && !globMatches(project, artifact.project)) return false;
  if (elements !== undefined && !elements.some((glob) => globMatches(glob, artifact.element))) return false;
  if (!artifact.keys.some((each) => each.startsWith(key))) return false;
  if (search === undefined) return true;
  const name = lower(`${artifact.project}/${artifact.element}`);
  if (search.texts.some((text) => globMatches(`*${lower(text)}*`, name))) return true;
  return artifact.keys.some((each) => search.key !== undefined && each.startsWith(search.key));
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const byName = (a: ArtifactPosition, b: ArtifactPosition): number =>
  Buffer.compare(Buffer.from(a.project), Buffer.from(b.project)) ||
  Buffer.compare(Buffer.from(a.element), Buffer.from(b.element));
const byTime = (a: ArtifactPosition, b: ArtifactPosition): number => a.pushed - b.pushed || a.id - b.id;

const comparisons: Readonly<Record<ArtifactSort, typeof byTime>> = {
  newest: (a, b) => byTime(b, a),
  oldest: byTime,
  name: (a, b) => byName(a, b) || byTime(b, a),
};
