import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type FileLock, isBusy, lockFileAt } from "../../base/file-lock.ts";
import { makeFolderSync } from "../../base/make-folder.ts";

/** Failures of one server in a row. Times are milliseconds since 1970. */
export interface Failure {
  /** For people. */
  readonly url: string;
  readonly failures: number;
  readonly since: number;
  readonly last: number;
  readonly until: number;
  readonly why: string;
}

/** A thousand entries have room in it. */
const maxFileBytes = 1 << 20;
const maxEntries = 1000;
const maxKeyLength = 4096;

/** How long a change waits for those of other processes, each of which takes a millisecond of a machine that may be busy: five seconds. */
const lockTries = 250;
const lockPauseMs = 20;

/**
 * The state file of failures by server. A change reads, writes a new file beside it and renames that, under a lock: a crash leaves the old one, or the new one, and at most
 * a temporary file, which the next change by that process id overwrites. Nothing is synced: what a power cut spoils reads as empty. Nothing here throws for what is
 * wrong with the file or its directory.
 */
export class UnreachableFile {
  readonly #path: string;
  #changes: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** What it says, as far as that can be understood. */
  read(): ReadonlyMap<string, Failure> {
    try {
      if (statSync(this.#path).size > maxFileBytes) return new Map();
      const content: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      const servers = isRecord(content) && content.version === 1 ? content.servers : undefined;
      return new Map(isRecord(servers) ? Object.entries(servers).flatMap(readEntry) : []);
    } catch {
      return new Map();
    }
  }

  /** Replaces what is there by what `next` makes of it, the newest last; nothing is written where that is `undefined`. Changes of a process are made one after the other. */
  change(
    next: (now: ReadonlyMap<string, Failure>) => readonly (readonly [string, Failure])[] | undefined,
  ): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      if (next(this.read()) === undefined) return;
      const lock = await this.#lock();
      try {
        const entries = next(this.read());
        if (entries !== undefined) this.#write(entries);
      } catch {
        // Not remembered, then.
      } finally {
        lock?.release();
      }
    });
    return this.#changes;
  }

  /** Without one, where there is none to be had: then a change of another process may get lost. */
  async #lock(): Promise<FileLock | undefined> {
    try {
      makeFolderSync(dirname(this.#path), 0o700);
      const path = `${this.#path}.lock`;
      for (let i = 0; i < lockTries; i++) {
        try {
          return lockFileAt(path);
        } catch (error) {
          if (!isBusy(error)) return undefined;
        }
        await wait(lockPauseMs);
      }
    } catch {
      // As where it stays locked.
    }
    return undefined;
  }

  #write(entries: readonly (readonly [string, Failure])[]): void {
    const temporary = `${this.#path}.${process.pid}`;
    const servers = Object.fromEntries(entries.slice(-maxEntries));
    try {
      writeFileSync(temporary, `${JSON.stringify({ version: 1, servers }, undefined, 1)}\n`, { mode: 0o600 });
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }
}

function readEntry([key, value]: [string, unknown]): readonly (readonly [string, Failure])[] {
  if (!isRecord(value) || key.length > maxKeyLength) return [];
  const { url, failures, since, last, until, why } = value;
  if (typeof url !== "string" || typeof why !== "string") return [];
  if (!isCount(failures) || !isCount(since) || !isCount(last) || !isCount(until)) return [];
  return [[key, { url, failures, since, last, until, why }]];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
