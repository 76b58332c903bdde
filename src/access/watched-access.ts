import { stat } from "node:fs/promises";
import type { Authenticate } from "../base/caller.ts";
import type { Clock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Access } from "./access.ts";
import { type LoadedAccess, loadAccess } from "./load-access.ts";

/** How soon a revoked token stops working, at the latest. */
export const watchMs = 2000;

/** The rights of a running server, which follow their files. */
export class WatchedAccess {
  readonly authenticate: Authenticate;
  private readonly path: string | undefined;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly access: Access;
  private readonly timer: NodeJS.Timeout | undefined;
  private files: readonly string[] = [];
  private seen = "";
  private reading: Promise<void> | undefined;

  private constructor(path: string | undefined, access: Access, clock: Clock, log: Log) {
    this.path = path;
    this.access = access;
    this.authenticate = access.authenticate;
    this.clock = clock;
    this.log = log;
    if (path === undefined) return;
    this.timer = setInterval(() => void this.follow(), watchMs);
    this.timer.unref();
  }

  /** Without a path everybody is let in. Errors: those of `loadAccess`. */
  static async open(path: string | undefined, clock: Clock, log: Log): Promise<WatchedAccess> {
    const watched = new WatchedAccess(path, new Access(undefined, clock), clock, log);
    try {
      await watched.reload();
    } catch (error) {
      watched.close();
      throw error;
    }
    return watched;
  }

  /** Reads the files anew. Errors: those of `loadAccess`; the old rights stay then. */
  async reload(): Promise<void> {
    if (this.path === undefined) return;
    await this.reading;
    this.take(await loadAccess(this.path, this.clock, this.log));
    this.seen = await signature(this.files);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Reads the files anew where one has changed. */
  async follow(): Promise<void> {
    this.reading ??= this.readChanged().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
  }

  private async readChanged(): Promise<void> {
    if (this.path === undefined) return;
    const now = await signature(this.files);
    if (now === this.seen) return;
    // Before the files are read: what changes meanwhile is seen the next time.
    this.seen = now;
    try {
      this.take(await loadAccess(this.path, this.clock, this.log));
      this.log.info({ access: this.path }, "rights were read anew");
    } catch (error) {
      const { message } = asStillageError(error);
      this.log.error({ access: this.path, reason: message }, "rights stay as they were: what is in the files is wrong");
    }
  }

  private take({ state, files }: LoadedAccess): void {
    this.access.state = state;
    this.files = files;
  }
}

/** Changes whenever one of the files does. */
async function signature(files: readonly string[]): Promise<string> {
  const all = await Promise.all(files.map((file) => stat(file, { bigint: true }).catch(() => undefined)));
  return all.map((each) => `${each?.ino} ${each?.size} ${each?.mtimeNs}`).join("\n");
}
