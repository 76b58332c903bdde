import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Ref, RefName, Space } from "../ref-store.ts";
import { decodeRoots } from "./root-lines.ts";
import { fromSqlite } from "./sqlite-error.ts";

/** A ref, and its id in the tables. */
export interface FoundRef {
  readonly id: number;
  readonly ref: Ref;
}

/** What `refOfRow` makes a ref of. */
export const refColumns = "id, message, roots, pinned, stored, used, expires, put_by";

export type RefColumns = [
  id: number,
  message: Uint8Array,
  roots: string,
  pinned: number,
  stored: number,
  used: number,
  expires: number | null,
  by: string | null,
];

export function refOfRow(name: RefName, row: RefColumns): Ref {
  const [, message, roots, pinned, stored, used, expires, by] = row;
  return {
    ...{ space: name.space, instance: name.instance, name: name.name, message, stored, used },
    roots: decodeRoots(roots),
    pinned: pinned !== 0,
    expires: expires ?? undefined,
    by: by ?? undefined,
  };
}

/** Reads the tables where it is called: what is in the page cache takes microseconds, less than asking a thread. */
export class RefReader {
  private readonly byName: StatementSync;
  private readonly counts: StatementSync;

  constructor(database: DatabaseSync) {
    this.byName = database.prepare(`SELECT ${refColumns} FROM refs WHERE space = ? AND instance = ? AND name = ?`);
    this.byName.setReturnArrays(true);
    this.counts = database.prepare("SELECT total(refs) AS refs FROM counts WHERE space = ?");
  }

  find(name: RefName): FoundRef | undefined {
    try {
      return this.read(name);
    } catch (error) {
      throw fromSqlite(error, "cannot read refs");
    }
  }

  count(space: Space): number {
    return this.counts.get(space)?.refs as number;
  }

  private read(name: RefName): FoundRef | undefined {
    const row = this.byName.get(name.space, name.instance, name.name) as unknown as RefColumns | undefined;
    return row && { id: row[0], ref: refOfRow(name, row) };
  }
}
