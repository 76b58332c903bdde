import type { Authenticate } from "../base/caller.ts";
import type { Clock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Access } from "./access.ts";
import { AccessLoader } from "./load-access.ts";

/** How soon a revoked token stops working, at the latest. */
export const watchMs = 2000;

/** The rights of a running server, which follow their files. */
export class WatchedAccess {
  readonly authenticate: Authenticate;
  private readonly access: Access;
  private readonly loader: AccessLoader | undefined;
  private readonly log: Log;
  private readonly timer: NodeJS.Timeout | undefined;
  /** Loads come one after the other, so that the last to begin has the last word. */
  private last: Promise<void> = Promise.resolve();
  private looking = false;
  private complaint = "";

  private constructor(loader: AccessLoader | undefined, clock: Clock, log: Log) {
    this.access = new Access(undefined, clock);
    this.authenticate = this.access.authenticate;
    this.loader = loader;
    this.log = log;
    if (loader === undefined) return;
    this.timer = setInterval(() => void this.look(), watchMs);
    this.timer.unref();
  }

  /** Without a path everybody is let in. Errors: those of `AccessLoader.load`. */
  static async open(path: string | undefined, clock: Clock, log: Log): Promise<WatchedAccess> {
    const loader = path === undefined ? undefined : new AccessLoader(path, clock, log);
    const watched = new WatchedAccess(loader, clock, log);
    try {
      await watched.reload();
    } catch (error) {
      watched.close();
      throw error;
    }
    return watched;
  }

  /** Reads the files anew. Errors: those of `AccessLoader.load`; the old rights stay then. */
  reload(): Promise<void> {
    const { loader } = this;
    if (loader === undefined) return Promise.resolve();
    const load = this.last
      .catch(() => {})
      .then(async () => {
        this.access.state = await loader.load();
        this.complaint = "";
      });
    this.last = load;
    return load;
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Reads the files anew where one has changed, or could not be read the last time. */
  async look(): Promise<void> {
    if (this.looking || this.loader === undefined) return;
    this.looking = true;
    try {
      if (!(await this.loader.changed())) return;
      await this.reload();
      this.log.info({}, "rights were read anew");
    } catch (error) {
      const { message } = asStillageError(error);
      if (message !== this.complaint) {
        this.log.error({ reason: message }, "rights stay as they were: what is in the files is wrong");
      }
      this.complaint = message;
    } finally {
      this.looking = false;
    }
  }
}
