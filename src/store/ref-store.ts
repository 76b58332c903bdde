import type { Digest } from "../base/digest.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { ArtifactEntry, ArtifactRefs } from "./artifact-refs.ts";
import type { RefKind } from "./ref-admin.ts";

/** The kinds of names. */
export const spaces = ["action", "asset", "reference", "ostree", "release"] as const;
export type Space = (typeof spaces)[number];

/** How to find everything that a root keeps alive, from its digest. */
export type Walk = "blob" | "directory" | "tree" | "artifact" | "source" | "commit";

export interface Root {
  readonly walk: Walk;
  readonly digest: Digest;
}

/** Where a ref is found. */
export interface RefName {
  readonly space: Space;
  readonly instance: string;
  readonly name: string;
}

/** A name, the message stored under it as the bytes that came, and the roots that it keeps alive. */
export interface Ref extends RefName {
  readonly message: Uint8Array;
  readonly roots: readonly Root[];
  readonly pinned: boolean;
  /** Milliseconds since 1970. */
  readonly stored: number;
  /** When it was last asked for; may lag by some seconds. */
  readonly used: number;
  /** After this it is as if it were gone; `undefined`: never. */
  readonly expires: number | undefined;
  /** Who put it, in words for people; `undefined` where nobody said. */
  readonly by: string | undefined;
}

export interface NewRef extends Omit<Ref, "pinned" | "used" | "by"> {
  readonly by?: string | undefined;
  /** When it was last used, in milliseconds since 1970; left out: when it was stored. */
  readonly used?: number | undefined;
  /** The artifact that the ref names, if that is what it names: it is listed as long as the ref is there. */
  readonly artifact?: ArtifactEntry | undefined;
  /** The message in whose place this one comes; `null`: that of none, as the ref is not there; left out: whatever there is. */
  readonly over?: Uint8Array | null | undefined;
}

/** Names. A ref is seen whole or not at all; `put` overwrites. */
export interface RefStore {
  /** The refs that name artifacts, as artifacts. */
  readonly artifacts: ArtifactRefs;
  /** `undefined` where there is none, or it has expired. Records the use. */
  get(name: RefName): MaybePromise<Ref | undefined>;
  /**
   * Stores all or none; resolves once they are durable. Messages must not change until then. A pinned name stays pinned.
   * Errors: `invalid` beyond the limits of `ref-limits.ts`, `exhausted`; `aborted` where a ref has not what it is to be put over.
   */
  put(refs: readonly NewRef[]): Promise<void>;
  /** Removes a ref; resolves once that is durable. Nothing happens where there is none. */
  remove(name: RefName): Promise<void>;
  /** The number of refs in a space. */
  count(space: Space): MaybePromise<number>;
  /**
   * All refs of a kind, with what was acknowledged when it was called; `undefined` where nothing has changed since the listing of version `known`. No use of the refs.
   * Nothing blocks meanwhile, and where nothing has changed it costs nothing.
   */
  listed(kind: RefKind, known?: number): MaybePromise<RefListing | undefined>;
  close(): Promise<void>;
}

/** The refs of a kind that have not expired. */
export interface RefListing {
  /** Another number for any other listing of this kind, and perhaps for one that is the same. As long as the process runs, none comes twice. */
  readonly version: number;
  /** By the bytes of their names, in ascending order. */
  readonly refs: readonly NamedRef[];
}

/** What a listing has of a ref. The messages of a listing may be views of one buffer. */
export type NamedRef = Pick<Ref, "name" | "message" | "expires">;
