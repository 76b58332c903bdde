import { type Digest, parseDigest } from "../../base/digest.ts";
import { storedFunctionOfName } from "../../base/digest-function.ts";
import { type ArtifactEntry, listable } from "../artifact-refs.ts";
import type { RefKind } from "../ref-admin.ts";
import type { NewRef, RefName } from "../ref-store.ts";
import { encodeRoots } from "./root-lines.ts";

/** A ref as a row: plain values, which cost little to hand to another thread. */
export interface RefRow extends RefName {
  readonly message: Uint8Array;
  readonly stored: number;
  readonly used: number;
  readonly expires: number | null;
  /** As `encodeRoots` gives them. */
  readonly roots: string;
  readonly by: string | null;
  readonly artifact: ArtifactRow | undefined;
  /** See `NewRef`. */
  readonly over: Uint8Array | null | undefined;
}

/** `content` is `function hash size`. */
export interface ArtifactRow extends Omit<ArtifactEntry, "content"> {
  readonly content: string;
}

/** What the writer does, each whole or not at all. */
export type RefChange =
  /** `now`: what has expired by then is not there. */
  | { readonly kind: "put"; readonly refs: readonly RefRow[]; readonly now: number }
  | { readonly kind: "remove"; readonly name: RefName }
  /** Refs by their ids, with the time of their last use. */
  | { readonly kind: "use"; readonly used: ReadonlyMap<number, number> }
  | { readonly kind: "pin"; readonly name: RefName; readonly pinned: boolean }
  /** Begins or ends to note what is put and used. */
  | { readonly kind: "watch"; readonly on: boolean }
  /** Removes refs that no pin holds, and that nothing was noted of: the first of them, as many as are enough for one transaction. */
  | { readonly kind: "evict"; readonly ids: readonly number[] };

/** What came of `evict`. */
export interface Evicted {
  /** The ids that stayed. */
  readonly stayed: readonly number[];
  /** How many of the ids were looked at, one at least; the others are to be given again. */
  readonly looked: number;
  /** Of which kinds refs went, each once. */
  readonly kinds: readonly RefKind[];
}

/** What came of a change: of `pin` whether there is such a ref, of `put` whether it was done, else nothing where not said. */
export type ChangeResult = undefined | boolean | Evicted;

/** What the writer's thread answers to a batch of changes: they are durable, or none of them was done. */
export type RefOutcome =
  | {
      readonly done: true;
      /** One for each change. */
      readonly results: readonly ChangeResult[];
      /** The ids of what was put, while that is noted. */
      readonly put: readonly number[];
    }
  | { readonly done: false; readonly code: FailureCode; readonly message: string };

export const failureCodes = ["exhausted", "corrupt", "unavailable", "internal"] as const;
export type FailureCode = (typeof failureCodes)[number];

export function rowOfRef(ref: NewRef): RefRow {
  const { space, instance, name, message, stored, used = stored, expires, roots, by, over } = ref;
  const artifact = listable(ref.artifact);
  return {
    ...{ space, instance, name, message: tight(message), stored, used },
    over: over && tight(over),
    expires: expires ?? null,
    roots: encodeRoots(roots),
    by: by ?? null,
    artifact: artifact && { ...artifact, content: encodeContent(artifact.content) },
  };
}

/** A view of a larger buffer would take all of that along. */
function tight(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function encodeContent({ function: fn, hash, size }: Digest): string {
  return `${fn.name} ${hash} ${size}`;
}

/** The digest in `ArtifactRow.content`. */
export function decodeContent(text: string): Digest {
  const [name = "", hash = "", size = ""] = text.split(" ");
  return parseDigest(hash, Number(size), storedFunctionOfName(name));
}
