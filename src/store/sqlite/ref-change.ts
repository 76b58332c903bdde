import type { NewRef, RefName } from "../ref-store.ts";
import { encodeRoots } from "./root-lines.ts";

/** A ref as a row: plain values, which cost little to hand to another thread. */
export interface RefRow extends RefName {
  readonly message: Uint8Array;
  readonly stored: number;
  readonly expires: number | null;
  /** As `encodeRoots` gives them. */
  readonly roots: string;
}

/** What the writer does, each whole or not at all. */
export type RefChange =
  | { readonly kind: "put"; readonly refs: readonly RefRow[] }
  | { readonly kind: "remove"; readonly name: RefName }
  /** Refs by their ids, with the time of their last use. */
  | { readonly kind: "use"; readonly used: ReadonlyMap<number, number> };

/** What the writer's thread answers to a batch of changes: they are durable, or none of them was done. */
export type RefOutcome =
  | { readonly done: true }
  | { readonly done: false; readonly code: "exhausted" | "corrupt" | "internal"; readonly message: string };

export function rowOfRef({ space, instance, name, message, stored, expires, roots }: NewRef): RefRow {
  // A view of a larger buffer would take all of that along.
  const tight = message.byteLength === message.buffer.byteLength ? message : new Uint8Array(message);
  return { space, instance, name, message: tight, stored, expires: expires ?? null, roots: encodeRoots(roots) };
}
