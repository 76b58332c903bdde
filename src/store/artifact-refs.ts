import type { Digest } from "../base/digest.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { Ref } from "./ref-store.ts";

/**
 * Which releases of BuildStream push an artifact in the form that it has: `1.0` an OSTree commit (1.0 to 1.1.3), `1.x` a Directory, `1.9x` an Artifact message
 * that stands in the ref itself (1.91 to 1.93), `2.x` an Artifact message that is a blob (1.95 and 2).
 */
export const generations = ["1.0", "1.x", "1.9x", "2.x"] as const;
export type Generation = (typeof generations)[number];

/** `PROJECT/ELEMENT/KEY`. Neither the project nor the key has a slash. */
export interface ArtifactName {
  readonly project: string;
  readonly element: string;
  readonly key: string;
}

/** What a ref says of the artifact that it names. Refs that agree in all but the key name one artifact. */
export interface ArtifactEntry extends ArtifactName {
  readonly generation: Generation;
  /** The message, the directory or the commit. */
  readonly content: Digest;
}

/** Where a listing goes on: the artifact that came last. */
export interface ArtifactPosition {
  readonly project: string;
  readonly element: string;
  readonly pushed: number;
  readonly id: number;
}

/** An artifact as its refs tell of it. */
export interface ListedArtifact extends ArtifactPosition, Omit<ArtifactEntry, "key"> {
  readonly instance: string;
  /** In the order in which they were pushed: the strong one first. At most `maxKeys`. */
  readonly keys: readonly string[];
  /** Whether more keys than those lead to it. */
  readonly moreKeys: boolean;
  /** When the last of its refs was put, in milliseconds since 1970. */
  readonly pushed: number;
  /** Who put that one. */
  readonly by: string | undefined;
}

export type ArtifactSort = "newest" | "oldest" | "name";

/** What all artifacts of a listing have in common. In globs `*` stands for any text and `?` for one character; there is no way to quote them. */
export interface ArtifactQuery {
  readonly instance: string;
  /** A glob. */
  readonly project?: string | undefined;
  /** Globs, of which one has to match. */
  readonly elements?: readonly string[] | undefined;
  /** How one of the keys begins. */
  readonly key?: string | undefined;
  readonly search?: ArtifactSearch | undefined;
  readonly sort: ArtifactSort;
  readonly after?: ArtifactPosition | undefined;
  readonly limit: number;
}

/** Finds what any of its parts finds. */
export interface ArtifactSearch {
  /** Globs for a part of `PROJECT/ELEMENT`, whose ASCII letters count in either case. */
  readonly texts: readonly string[];
  /** How a key may begin. */
  readonly key: string | undefined;
}

/** The refs that name artifacts. What has expired is not there. */
export interface ArtifactRefs {
  /** Those that the query describes, at most `limit`, from behind `after` on. */
  list(query: ArtifactQuery): MaybePromise<ListedArtifact[]>;
  /** The artifact of this name, of two the one pushed last. Not a use of its refs. */
  find(instance: string, name: ArtifactName): MaybePromise<FoundArtifact | undefined>;
  /** The project of the artifact with this element and key, of two the one pushed last: `project`, where that is given. */
  projectOf(instance: string, name: ElementAndKey): MaybePromise<string | undefined>;
  /** How many artifacts an instance has, expired ones included. */
  count(instance: string): MaybePromise<number>;
}

/** The name of an artifact whose project may not be known. */
export interface ElementAndKey extends Omit<ArtifactName, "project"> {
  readonly project?: string | undefined;
}

export interface FoundArtifact extends ListedArtifact {
  /** The ref of its first key. */
  readonly ref: Ref;
  /** When any of its refs was last used, in milliseconds since 1970. */
  readonly used: number;
  /** When the last of its refs expires; `undefined` where one never does. */
  readonly expires: number | undefined;
  /** Whether any of its refs is pinned. */
  readonly pinned: boolean;
}

/** Keys that are told of one artifact. It has two or three, unless somebody pushes one content under ever more names. */
export const maxKeys = 20;

/** Characters of a project, an element or a key: no file, and so no element, has a longer name. Every search looks at all names. */
const maxListedLength = 255;

/** What is listed of what a ref names: nothing where its name is longer than any project's or element's. */
export function listable(artifact: ArtifactEntry | undefined): ArtifactEntry | undefined {
  if (artifact === undefined) return undefined;
  return fitsList(artifact) ? artifact : undefined;
}

/** Whether an artifact of this name is listed. */
export function fitsList({ project, element, key }: ArtifactName): boolean {
  return Math.max(project.length, element.length, key.length) <= maxListedLength;
}
