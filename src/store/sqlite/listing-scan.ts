import type { DatabaseSync } from "node:sqlite";
import { type PackedRefs, RefPacker } from "../packed-refs.ts";
import type { RefKind } from "../ref-admin.ts";
import type { NamedRef } from "../ref-store.ts";

type Row = [name: string, message: Uint8Array, expires: number | null];

/** The refs of a kind that have not expired, one after the other, as they are at one moment. The index of names has them in the order of their bytes. */
export function* scanListing(database: DatabaseSync, kind: RefKind, now: number): Generator<NamedRef, void> {
  const all = database.prepare(`
    SELECT name, message, expires FROM refs
    WHERE space = ? AND instance = ? AND (expires IS NULL OR expires > ?) ORDER BY name`);
  all.setReturnArrays(true);
  for (const row of all.iterate(kind.space, kind.instance, now) as unknown as Iterable<Row>) {
    const [name, message, expires] = row;
    yield { name, message, expires: expires ?? undefined };
  }
}

/** The same, packed. */
export function packScanned(database: DatabaseSync, kind: RefKind, now: number): PackedRefs {
  const packer = new RefPacker();
  for (const { name, message, expires } of scanListing(database, kind, now)) packer.add(name, message, expires);
  return packer.take();
}
