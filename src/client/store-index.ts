import type { Catalogue } from "../artifact/catalogue.ts";
import type { ArtifactRefs, FoundArtifact, ListedArtifact } from "../store/artifact-refs.ts";
import { artifactMatcher, keyBeginning } from "./artifact-glob.ts";
import type { ArtifactGlob, ArtifactIndex, IndexedArtifact } from "./artifact-index.ts";

/** Artifacts that are read at a time. */
const pageSize = 1000;

/** The names that an instance of a store has, its newest first. */
export function catalogueIndex(
  catalogue: Catalogue,
  refs: ArtifactRefs,
): Pick<ArtifactIndex, "find" | "list" | "newestFirst"> {
  return {
    newestFirst: true,
    async find({ project, element, keys, generation }, signal) {
      for (const key of keys) {
        signal.throwIfAborted();
        const found = await catalogue.find({ project, element, key });
        if (found !== undefined && (generation ?? found.generation) === found.generation) return indexedOf(found);
      }
      return undefined;
    },
    async *list(globs, signal) {
      const isMeant = artifactMatcher(globs);
      const groups = grouped(globs);
      const seen = new Set<number>();
      const several: ListedArtifact[] = [];
      for (const query of groups) {
        for await (const page of pages(refs, { ...query, instance: catalogue.instance })) {
          signal.throwIfAborted();
          for (const listed of page) {
            // A glob for a key is more than the beginning that the store asks for.
            if (!isMeant(listed) || (groups.length > 1 && seen.has(listed.id))) continue;
            if (groups.length === 1) yield await withMessage(catalogue, listed);
            else {
              seen.add(listed.id);
              several.push(listed);
            }
          }
        }
      }
      for (const each of several.sort((a, b) => b.pushed - a.pushed || b.id - a.id)) {
        yield await withMessage(catalogue, each);
      }
    },
  };
}

/** Of 1.9x the message stands in the ref, which a list does not read. */
async function withMessage(catalogue: Catalogue, listed: ListedArtifact): Promise<IndexedArtifact> {
  const { project, element, keys, generation } = listed;
  const found = generation === "1.9x" ? await catalogue.find({ project, element, key: keys[0] ?? "" }) : undefined;
  return indexedOf(found ?? listed);
}

function indexedOf(listed: ListedArtifact | FoundArtifact): IndexedArtifact {
  const { project, element, keys, generation, content, instance, pushed, by, moreKeys } = listed;
  const found = "ref" in listed ? listed : undefined;
  const message = generation === "1.9x" ? found?.ref.message : undefined;
  const more = found && { used: found.used, expires: found.expires, pinned: found.pinned };
  const record = { instance, pushed, by, moreKeys, ...more };
  return { project, element, keys, generation, content, message, record };
}

interface Group {
  readonly project: string;
  readonly elements: string[];
  readonly key: string | undefined;
}

/** Globs that differ in the element alone are one question to the store. */
function grouped(globs: readonly ArtifactGlob[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { project, element, key } of globs) {
    const name = JSON.stringify([project, key]);
    const group = groups.get(name) ?? { project, elements: [], key: keyBeginning(key) || undefined };
    group.elements.push(element);
    groups.set(name, group);
  }
  return [...groups.values()];
}

async function* pages(refs: ArtifactRefs, group: Group & { instance: string }): AsyncGenerator<ListedArtifact[]> {
  let after: ListedArtifact | undefined;
  do {
    const page: ListedArtifact[] = await refs.list({ ...group, sort: "newest", limit: pageSize, after });
    yield page;
    after = page.length < pageSize ? undefined : page.at(-1);
  } while (after !== undefined);
}
