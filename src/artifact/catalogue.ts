import { type Digest, showDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { LruMap } from "../base/lru-map.ts";
import { maxProtoBytes } from "../cache/artifact-needs.ts";
import type { Closure } from "../cache/closure.ts";
import { readMessage } from "../cache/read-message.ts";
import { Slots } from "../cache/slots.ts";
import type {
  ArtifactName,
  ArtifactQuery,
  ArtifactRefs,
  FoundArtifact,
  ListedArtifact,
} from "../store/artifact-refs.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { type ArtifactContent, type TreeName, treeNames } from "./artifact-content.ts";
import { type ArtifactReport, type ArtifactSize, reportOf } from "./artifact-report.ts";
import { type ListedDependency, listDependencies, maxDependencies } from "./dependencies.ts";
import { contentOfCommit, contentOfDirectory } from "./directory-content.ts";
import { checkPatterns, elementGlobs, normalName, searchFor } from "./element-name.ts";
import { contentOfMessage } from "./message-content.ts";
import { type OpenText, openText } from "./open-text.ts";
import { type Page, readCursor, writeCursor } from "./page.ts";
import { formatOf } from "./tree-format.ts";
import { listTree, type TreeEntry, type TreeQuery } from "./tree-listing.ts";

/** What artifacts are looked for by; what is `undefined` is not looked at. */
export interface ListQuery {
  /** May have `*` and `?`. */
  readonly project: string | undefined;
  /** May have `*` and `?`, and be written as the file in the project. */
  readonly element: string | undefined;
  /** How a key begins. */
  readonly key: string | undefined;
  /** A part of `PROJECT/ELEMENT`, or the beginning of a key. */
  readonly search: string | undefined;
  readonly sort: ArtifactQuery["sort"];
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface CatalogueOptions {
  readonly instance: string;
  readonly artifacts: ArtifactRefs;
  readonly blobs: BlobReader;
  /** `undefined` where the blobs are on another server: then names, and what stands in them, is all that can be shown. */
  readonly closure: Closure | undefined;
}

/** Trees and messages of all instances that are read for somebody at a time, at some 50 MB each at worst; the others wait. */
const reads = new Slots(2);

/** What messages say that were read last, at some 10 MB each at worst: the pages of a list are asked for one after another. */
const contents = new LruMap<string, ArtifactContent>(4);

/** Artifacts whose size is remembered, at some 200 bytes each. */
const maxSizes = 20_000;

/** What one instance has of artifacts, of all generations in one form. */
export class Catalogue {
  readonly instance: string;
  private readonly options: CatalogueOptions;
  private readonly sizes = new LruMap<string, ArtifactSize>(maxSizes);

  constructor(options: CatalogueOptions) {
    this.instance = options.instance;
    this.options = options;
  }

  count(): number | Promise<number> {
    return this.options.artifacts.count(this.instance);
  }

  /** Errors: `invalid` for a cursor of another list, and for a pattern of no or too many characters or wildcards. */
  async list(query: ListQuery): Promise<Page<ListedArtifact>> {
    const { project, element, key, search, sort, limit, cursor } = query;
    checkPatterns({ project, element, key, text: search });
    const found = await this.options.artifacts.list({
      ...{ instance: this.instance, project, key, sort },
      elements: element === undefined ? undefined : elementGlobs(element),
      search: search === undefined ? undefined : searchFor(search),
      after: cursor === undefined ? undefined : placeIn(cursor, sort),
      limit: limit + 1,
    });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    if (found.length <= limit || last === undefined) return { items, next: undefined };
    return { items, next: writeCursor([sort, last.project, last.element, last.pushed, last.id]) };
  }

  /** An artifact by its project, its element as it is stored or as the project's file, and one of its keys. */
  async find(name: ArtifactName): Promise<FoundArtifact | undefined> {
    const { artifacts } = this.options;
    for (const element of elementGlobs(name.element)) {
      const found = await artifacts.find(this.instance, { ...name, element });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What an artifact says of itself. Errors: `not-found` where that is not here, or here is not where it would be. */
  async content(found: FoundArtifact): Promise<ArtifactContent> {
    const content = await reads.run(() => this.read(found));
    if (content !== undefined) return content;
    throw new StillageError("not-found", `what ${shownName(found)} consists of is not in this cache`, {
      hint:
        this.options.closure === undefined ? "ask the server that has the storage" : "its next build brings it again",
    });
  }

  /** Whether clients get an artifact. Errors: `unsupported` where the blobs are on another server. */
  async complete({ ref }: FoundArtifact): Promise<boolean> {
    const { closure } = this.options;
    if (closure === undefined) throw new StillageError("unsupported", "the blobs of this cache are on another server");
    return closure.complete(ref.roots);
  }

  /** All that is known of an artifact. Errors: those of the store. */
  async report(found: FoundArtifact): Promise<ArtifactReport> {
    const { blobs, closure } = this.options;
    const complete = await closure?.complete(found.ref.roots);
    return reads.run(async () => {
      const content = await this.read(found).catch(unreadable);
      const key = `${found.generation} ${found.content.hash}`;
      const known = complete === true ? this.sizes.get(key) : undefined;
      const report = await reportOf(found, content, { blobs, complete, known });
      if (report.size?.exact === true && report.missing.length === 0) this.sizes.set(key, report.size);
      return report;
    });
  }

  /** Errors: `not-found` for a tree that the artifact has not, and for a path that is not in it; `invalid` for a cursor of another list. */
  async files(found: FoundArtifact, tree: TreeName, query: TreeQuery): Promise<Page<TreeEntry>> {
    const { trees } = await this.content(found);
    const root = trees[tree];
    if (root === undefined) {
      const there = treeNames.filter((each) => trees[each] !== undefined);
      throw new StillageError("not-found", `${shownName(found)} has no ${tree}`, {
        hint: there.length === 0 ? "it has no tree at all" : `it has ${there.join(", ")}`,
      });
    }
    return reads.run(() => listTree(this.options.blobs, root, query, formatOf(found.generation)));
  }

  /** The log of a name, to be read and closed. Errors: `not-found`. */
  async openLog(found: FoundArtifact, name: string): Promise<OpenText> {
    const { logs } = await this.content(found);
    const log = logs.find((each) => each.name === name);
    if (log === undefined) {
      const hint =
        logs.length === 0
          ? "it has none"
          : `it has ${logs
              .slice(0, 10)
              .map((each) => each.name)
              .join(", ")}`;
      throw new StillageError("not-found", `${shownName(found)} has no log ${JSON.stringify(name.slice(0, 200))}`, {
        hint,
      });
    }
    const open = await openText(this.options.blobs, log);
    if (open !== undefined) return open;
    throw new StillageError("not-found", `the log ${JSON.stringify(name)} of ${shownName(found)} is not in this cache`);
  }

  /** What an artifact was built with, and which of it is here: at most `limit` and `maxDependencies` of them. */
  async dependencies(found: FoundArtifact, limit: number, cursor: string | undefined): Promise<Page<ListedDependency>> {
    const { dependencies } = await this.content(found);
    const from = cursor === undefined ? 0 : dependencyIn(cursor, found.content);
    const page = dependencies.slice(from, from + Math.min(limit, maxDependencies));
    const items = await listDependencies(page, found, this.options.artifacts, normalName);
    const end = from + page.length;
    return { items, next: end < dependencies.length ? writeCursor([found.content.hash.slice(0, 16), end]) : undefined };
  }

  private async read({ generation, content, ref }: FoundArtifact): Promise<ArtifactContent | undefined> {
    const { blobs } = this.options;
    if (generation === "1.9x") return contentOfMessage(ref.message, sha256);
    if (generation === "1.0") return this.options.closure && contentOfCommit(blobs, content);
    if (generation === "1.x") return this.options.closure && contentOfDirectory(blobs, content);
    if (content.size > maxProtoBytes) throw new StillageError("invalid", "the artifact's message is too large");
    const before = contents.get(showDigest(content));
    if (before !== undefined && (await blobs.sizeOf(content.function, content.hash)) !== undefined) return before;
    const bytes = await readMessage(blobs, content);
    const read = bytes && contentOfMessage(bytes, content.function);
    if (read !== undefined) contents.set(showDigest(content), read);
    return read;
  }
}

/** Of what cannot be read, this is what is known. */
function unreadable(error: unknown): string {
  if (error instanceof StillageError && (error.code === "invalid" || error.code === "corrupt")) return error.message;
  throw error;
}

export function shownName({ project, element, keys }: ListedArtifact): string {
  return `${project}/${element}/${keys[0] ?? ""}`;
}

type ArtifactPlace = [sort: string, project: string, element: string, pushed: number, id: number];

function placeIn(cursor: string, sort: string): { project: string; element: string; pushed: number; id: number } {
  const [, project, element, pushed, id] = readCursor(cursor, (value): value is ArtifactPlace => {
    if (!Array.isArray(value) || value.length !== 5 || value[0] !== sort) return false;
    return [1, 2].every((i) => typeof value[i] === "string") && [3, 4].every((i) => Number.isSafeInteger(value[i]));
  });
  return { project, element, pushed, id };
}

function dependencyIn(cursor: string, content: Digest): number {
  const [, from] = readCursor(cursor, (value): value is [string, number] => {
    if (!Array.isArray(value) || value.length !== 2 || value[0] !== content.hash.slice(0, 16)) return false;
    return Number.isSafeInteger(value[1]) && value[1] > 0;
  });
  return from;
}
