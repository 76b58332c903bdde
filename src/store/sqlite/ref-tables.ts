import type { DatabaseSync, StatementSync } from "node:sqlite";
import { systemClock } from "../../base/clock.ts";
import { keyOfKind } from "../listing-versions.ts";
import { notedAhead } from "../noted-ahead.ts";
import type { RefKind } from "../ref-admin.ts";
import type { RefName } from "../ref-store.ts";
import { ArtifactTables } from "./artifact-tables.ts";
import type { ChangeResult, Evicted, RefChange, RefRow } from "./ref-change.ts";

/** What changes came to. */
export interface Applied {
  readonly results: readonly ChangeResult[];
  /** The refs that were put, while that is noted. */
  readonly put: readonly number[];
}

/** Bytes of refs that are removed in one transaction, and those of one ref more: some ten milliseconds, which a put may have to wait. */
const bytesAtOnce = 4 << 20;

/** The statements that change the tables. */
export class RefTables {
  private readonly database: DatabaseSync;
  private readonly find: StatementSync;
  private readonly findById: StatementSync;
  private readonly readMessage: StatementSync;
  private readonly upsert: StatementSync;
  private readonly drop: StatementSync;
  private readonly use: StatementSync;
  private readonly pin: StatementSync;
  private readonly artifacts: ArtifactTables;
  /** Refs that were put or used, while that is noted. What a failed transaction would have done may be among them. */
  private noted: Set<number> | undefined;
  private put: number[] = [];

  constructor(database: DatabaseSync) {
    this.database = database;
    this.find = database.prepare(
      "SELECT id, artifact, stored, expires FROM refs WHERE space = ? AND instance = ? AND name = ?",
    );
    this.findById = database.prepare(`
      SELECT id, artifact, pinned, expires, space, instance, octet_length(message) + octet_length(roots) AS bytes
      FROM refs WHERE id = ?`);
    this.readMessage = database.prepare(
      "SELECT message, expires FROM refs WHERE space = ? AND instance = ? AND name = ?",
    );
    this.upsert = database.prepare(`
      INSERT INTO refs (space, instance, name, message, roots, stored, used, expires, put_by, artifact, key, place)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?12, ?7, ?8, ?9, ?10, ?11)
      ON CONFLICT DO UPDATE SET message = ?4, roots = ?5, stored = ?6, used = max(used, ?12), expires = ?7, put_by = ?8,
        artifact = ?9, key = ?10, place = ?11
      RETURNING id`);
    this.drop = database.prepare("DELETE FROM refs WHERE id = ?");
    this.use = database.prepare("UPDATE refs SET used = ?2 WHERE id = ?1 AND (used < ?2 OR used > ?3)");
    this.pin = database.prepare("UPDATE refs SET pinned = ?4 WHERE space = ?1 AND instance = ?2 AND name = ?3");
    this.artifacts = new ArtifactTables(database);
  }

  /** Does all changes, or none where it throws. A crash in the middle leaves none: the journal's end is not there. */
  apply(changes: readonly RefChange[]): Applied {
    this.put = [];
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const results = changes.map((change) => this.change(change));
      this.database.exec("COMMIT");
      return { results, put: this.put };
    } catch (error) {
      if (this.database.isTransaction) this.database.exec("ROLLBACK");
      throw error;
    }
  }

  private change(change: RefChange): ChangeResult {
    if (change.kind === "put") return this.putAll(change.refs, change.now);
    if (change.kind === "remove") this.removeNamed(change.name);
    else if (change.kind === "use") this.useAll(change.used);
    else if (change.kind === "evict") return this.evict(change.ids);
    else if (change.kind === "watch") this.noted = change.on ? new Set() : undefined;
    else return this.setPin(change.name, change.pinned);
    return undefined;
  }

  /** Whether all refs had what they are to be put over; else none is put. */
  private putAll(refs: readonly RefRow[], now: number): boolean {
    if (!refs.every((ref) => this.isAsExpected(ref, now))) return false;
    let listed: number | undefined;
    for (const [place, ref] of refs.entries()) {
      const { artifact } = ref;
      // The strong and the weak key come together, and are one artifact's.
      if (artifact === undefined) listed = undefined;
      else if (!isSameArtifact(refs[place - 1], ref)) listed = this.artifacts.add(ref, artifact);
      const before = this.putOne(ref, place, listed ?? null);
      if (before === undefined || before.artifact === null) continue;
      if (before.artifact !== listed) this.artifacts.dropUnnamed(before.artifact);
      // What was added to the list counts what the ref said until now as well.
      else if (before.expires !== ref.expires || before.stored > ref.stored) this.artifacts.refresh(listed);
    }
    return true;
  }

  private isAsExpected({ space, instance, name, over }: RefRow, now: number): boolean {
    if (over === undefined) return true;
    const found = this.readMessage.get(space, instance, name) as Said | undefined;
    const isThere = found !== undefined && (found.expires === null || found.expires > now);
    return over === null ? !isThere : isThere && Buffer.compare(over, found.message) === 0;
  }

  /** Puts a ref, and returns what it was before. */
  private putOne(ref: RefRow, place: number, artifact: number | null): Found | undefined {
    const { space, instance, name, message, roots, stored, used, expires, by } = ref;
    const before = this.lookUp(ref);
    const key = ref.artifact?.key ?? null;
    const row = this.upsert.get(space, instance, name, message, roots, stored, expires, by, artifact, key, place, used);
    const { id } = row as { id: number };
    if (this.noted !== undefined) {
      this.noted.add(id);
      this.put.push(id);
    }
    return before;
  }

  private useAll(used: ReadonlyMap<number, number>): void {
    for (const [id, time] of used) {
      this.use.run(id, time, notedAhead());
      this.noted?.add(id);
    }
  }

  private setPin({ space, instance, name }: RefName, pinned: boolean): boolean {
    return this.pin.run(space, instance, name, pinned ? 1 : 0).changes > 0;
  }

  /** Removes those of the first ids that may go, until that is enough for one transaction. Where nothing is noted, none may. */
  private evict(ids: readonly number[]): Evicted {
    const stayed: number[] = [];
    const kinds = new Map<string, RefKind>();
    let [looked, bytes] = [0, 0];
    while (looked < ids.length && bytes < bytesAtOnce) {
      const id = ids[looked++] as number;
      const found = this.findById.get(id) as (Kept & Held & RefKind & { readonly bytes: number }) | undefined;
      if (found === undefined) continue;
      if (isHeld(found) || this.noted?.has(id) !== false) {
        stayed.push(id);
        continue;
      }
      this.remove(found);
      bytes += found.bytes;
      const { space, instance } = found;
      kinds.set(keyOfKind(found), { space, instance });
    }
    return { stayed, looked, kinds: [...kinds.values()] };
  }

  private removeNamed(name: RefName): void {
    const found = this.lookUp(name);
    if (found !== undefined) this.remove(found);
  }

  private remove({ id, artifact }: Kept): void {
    this.drop.run(id);
    if (artifact !== null) this.artifacts.dropUnnamed(artifact);
  }

  private lookUp({ space, instance, name }: RefName): Found | undefined {
    return this.find.get(space, instance, name) as Found | undefined;
  }
}

interface Kept {
  readonly id: number;
  readonly artifact: number | null;
}

interface Said {
  readonly message: Uint8Array;
  readonly expires: number | null;
}

interface Held {
  readonly pinned: number;
  readonly expires: number | null;
}

/** A pin holds until the ref's own date. */
function isHeld({ pinned, expires }: Held): boolean {
  return pinned !== 0 && (expires === null || expires > systemClock());
}

interface Found extends Kept {
  readonly stored: number;
  readonly expires: number | null;
}

/** Whether two refs of one put name one artifact, in the same words. */
function isSameArtifact(a: RefRow | undefined, b: RefRow): boolean {
  if (a?.artifact === undefined || b.artifact === undefined) return false;
  const { project, element, generation, content } = b.artifact;
  const same = a.artifact.project === project && a.artifact.element === element && a.artifact.generation === generation;
  return (
    same &&
    a.artifact.content === content &&
    a.instance === b.instance &&
    a.stored === b.stored &&
    a.expires === b.expires
  );
}
