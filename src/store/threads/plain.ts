import type { Digest } from "../../base/digest.ts";
import { type DigestFunction, storedFunctionOfValue } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import type { ArtifactEntry, FoundArtifact, ListedArtifact } from "../artifact-refs.ts";
import type { NewRef, Ref, Root, Walk } from "../ref-store.ts";

// What is the same object everywhere in a thread, a digest function, is a number in a message to another one; and no view takes more memory
// along than it shows.

/** The value of the function, the hash, the size. */
export type PlainDigest = readonly [fn: number, hash: string, size: number];

export function plainDigest({ function: fn, hash, size }: Digest): PlainDigest {
  return [fn.value, hash, size];
}

export function digestOfPlain([fn, hash, size]: PlainDigest): Digest {
  return { function: functionOf(fn), hash, size };
}

/** The function with a value that one of these threads has sent. */
export function functionOf(value: number): DigestFunction {
  const fn = storedFunctionOfValue(value);
  if (fn === undefined) throw new StillageError("internal", `there is no digest function ${value}`);
  return fn;
}

export interface PlainDigests {
  readonly fn: number;
  readonly words: Uint32Array;
  readonly sizes: Float64Array;
}

export function plainDigests({ function: fn, words, sizes, length }: DigestList): PlainDigests {
  return { fn: fn.value, words: words.slice(0, length * fn.words), sizes: sizes.slice(0, length) };
}

export function digestsOfPlain({ fn, words, sizes }: PlainDigests): DigestList {
  const list = new DigestList(functionOf(fn), 0);
  list.words = words;
  list.sizes = sizes;
  list.length = sizes.length;
  return list;
}

type PlainRoot = readonly [walk: Walk, digest: PlainDigest];
type Plain<T extends { readonly roots: readonly Root[] }> = Omit<T, "roots" | "artifact"> & {
  readonly roots: readonly PlainRoot[];
};
type PlainArtifact<T extends { readonly content: Digest }> = Omit<T, "content" | "ref"> & {
  readonly content: PlainDigest;
};

export type PlainRef = Plain<Ref>;
export type PlainNewRef = Plain<NewRef> & { readonly artifact: PlainArtifact<ArtifactEntry> | undefined };
export type PlainListed = PlainArtifact<ListedArtifact>;
export type PlainFound = PlainArtifact<FoundArtifact> & { readonly ref: PlainRef };

export function plainRef(ref: Ref): PlainRef {
  return { ...ref, message: new Uint8Array(ref.message), roots: ref.roots.map(plainRoot) };
}

export function refOfPlain(ref: PlainRef): Ref {
  return { ...ref, roots: ref.roots.map(rootOfPlain) };
}

export function plainNewRef(ref: NewRef): PlainNewRef {
  const { artifact } = ref;
  return {
    ...ref,
    message: new Uint8Array(ref.message),
    over: ref.over && new Uint8Array(ref.over),
    roots: ref.roots.map(plainRoot),
    artifact: artifact && { ...artifact, content: plainDigest(artifact.content) },
  };
}

export function newRefOfPlain(ref: PlainNewRef): NewRef {
  const { artifact } = ref;
  return {
    ...ref,
    roots: ref.roots.map(rootOfPlain),
    artifact: artifact && { ...artifact, content: digestOfPlain(artifact.content) },
  };
}

export function plainListed(listed: ListedArtifact): PlainListed {
  return { ...listed, content: plainDigest(listed.content) };
}

export function listedOfPlain(listed: PlainListed): ListedArtifact {
  return { ...listed, content: digestOfPlain(listed.content) };
}

export function plainFound(found: FoundArtifact): PlainFound {
  return { ...found, content: plainDigest(found.content), ref: plainRef(found.ref) };
}

export function foundOfPlain(found: PlainFound): FoundArtifact {
  return { ...found, content: digestOfPlain(found.content), ref: refOfPlain(found.ref) };
}

function plainRoot({ walk, digest }: Root): PlainRoot {
  return [walk, plainDigest(digest)];
}

function rootOfPlain([walk, digest]: PlainRoot): Root {
  return { walk, digest: digestOfPlain(digest) };
}
