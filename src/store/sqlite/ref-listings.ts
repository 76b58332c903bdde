import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { keyOfKind, ListingVersions } from "../listing-versions.ts";
import { unpackListing } from "../packed-refs.ts";
import type { RefKind } from "../ref-admin.ts";
import type { RefListing } from "../ref-store.ts";
import { scanListing } from "./listing-scan.ts";
import { runScan } from "./run-scan.ts";
import { fromSqlite } from "./sqlite-error.ts";

/** Refs of a kind that are read at once where they are asked for: a millisecond or two. Starting a thread takes longer. */
const fewRefs = 300;

/** Bytes of their messages up to which they count as few. */
const fewBytes = 1 << 20;

/**
 * What there is of each kind of refs. The version is taken before the refs are read, and raised when a change is durable, before anybody hears of that:
 * so a listing may have more than its version promises, and is read once more then, but never less.
 */
export class RefListings {
  /** To be told of every change. */
  readonly versions: ListingVersions;
  private readonly file: string;
  private readonly database: DatabaseSync;
  private readonly clock: Clock;
  private readonly counts: StatementSync;
  private readonly bytes: StatementSync;
  /** The last listing of each kind that was asked for. */
  private readonly last = new Map<string, RefListing>();
  /** Those that are being read. */
  private readonly reading = new Map<string, Promise<RefListing>>();

  constructor(file: string, database: DatabaseSync, clock: Clock) {
    this.file = file;
    this.database = database;
    this.clock = clock;
    this.versions = new ListingVersions(clock);
    this.counts = database.prepare("SELECT total(refs) AS refs FROM counts WHERE space = ? AND instance = ?");
    this.bytes = database.prepare("SELECT total(length(message)) AS bytes FROM refs WHERE space = ? AND instance = ?");
  }

  /** See RefStore. Errors: those of reading. */
  listed(kind: RefKind, known: number | undefined): MaybePromise<RefListing | undefined> {
    const version = this.versions.of(kind);
    if (version === known) return undefined;
    const last = this.last.get(keyOfKind(kind));
    if (last?.version === version) return last;
    return this.reading.has(keyOfKind(kind)) || !this.areFew(kind)
      ? this.readApart(kind, version)
      : this.readHere(kind, version);
  }

  private areFew({ space, instance }: RefKind): boolean {
    try {
      if ((this.counts.get(space, instance)?.refs as number) > fewRefs) return false;
      return (this.bytes.get(space, instance)?.bytes as number) <= fewBytes;
    } catch (error) {
      throw fromSqlite(error, "cannot read refs");
    }
  }

  private readHere(kind: RefKind, version: number): RefListing {
    try {
      return this.keep(kind, { version, refs: [...scanListing(this.database, kind, this.clock())] });
    } catch (error) {
      throw fromSqlite(error, "cannot read refs");
    }
  }

  /** One thread reads a kind at a time: what was begun too early for this caller is waited for, and then all who did so share the next one. */
  private async readApart(kind: RefKind, version: number): Promise<RefListing> {
    const key = keyOfKind(kind);
    for (;;) {
      const before = this.reading.get(key);
      if (before === undefined) break;
      const listing = await before.catch(() => undefined); // whoever began it was told
      if (listing !== undefined && listing.version >= version) return listing;
    }
    const reading = this.read(kind).finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }

  private async read(kind: RefKind): Promise<RefListing> {
    const version = this.versions.of(kind);
    const packed = await runScan({ file: this.file, listing: { kind, now: this.clock() } });
    return this.keep(kind, await unpackListing({ version, ...packed }));
  }

  private keep(kind: RefKind, listing: RefListing): RefListing {
    this.versions.noteListed(kind, listing.version, listing.refs);
    this.last.set(keyOfKind(kind), listing);
    return listing;
  }
}
