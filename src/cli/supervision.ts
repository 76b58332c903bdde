import type { Log } from "../base/log.ts";
import type { RunningServer } from "../server/app.ts";

import { readable } from "./readable.ts";
import type { Notice, ServiceManager } from "./service-manager.ts";
import { Watchdog } from "./watchdog.ts";

/** What a service manager is told about. */
export type Supervised = Pick<RunningServer, "listeners"> & Partial<Pick<RunningServer, "usage" | "answers">>;

/**
 * How long a start may go on without another word. An old format is brought to the new one in one piece, in which no word can be said;
 * ten minutes are enough for tens of millions of names.
 */
const startMs = 600_000;

/** Beyond the time that calls have to end: the store is closed, and nothing of it must be cut. */
const closeMs = 60_000;

/** Tells a service manager what a server does, from its start to its end (sd_notify(3)). */
export class Supervision implements Disposable {
  private readonly manager: ServiceManager;
  private readonly log: Log;
  private readonly extending: NodeJS.Timeout;
  private watchdog: Watchdog | undefined;
  private stopping = false;

  /** The server begins to open `store`. As long as it does, and says so, it is not given up. */
  constructor(manager: ServiceManager, store: string, log: Log) {
    this.manager = manager;
    this.log = log;
    manager.tell({ ...moreTime(startMs), STATUS: `opens ${store}` });
    this.extending = setInterval(() => manager.tell(moreTime(startMs)), startMs / 3);
  }

  /** The store is open, and every listener listens. */
  ready(server: Supervised): void {
    clearInterval(this.extending);
    this.manager.tell({ READY: "1", STATUS: statusOf(server) });
    const { watchdogMs } = this.manager;
    if (watchdogMs === undefined) return;
    this.watchdog = new Watchdog(watchdogMs, {
      // The store is on its way out while the server stops.
      probe: async () => (this.stopping ? undefined : await server.answers?.()),
      ping: () => this.manager.tell(this.stopping ? alive : { ...alive, STATUS: statusOf(server) }),
      onFailure: (error) => this.log.error({ err: error }, "the store does not answer: no sign of life is given"),
    });
  }

  async reload(server: Supervised, reload: () => Promise<void>): Promise<void> {
    const since = process.hrtime.bigint() / 1000n;
    this.manager.tell({ RELOADING: "1", MONOTONIC_USEC: String(since), STATUS: "reads certificates and rights anew" });
    await reload();
    this.manager.tell({ READY: "1", STATUS: statusOf(server) });
  }

  stop(graceMs: number): void {
    this.stopping = true;
    this.manager.tell({ STOPPING: "1", ...moreTime(graceMs + closeMs), STATUS: "lets running calls end" });
  }

  [Symbol.dispose](): void {
    clearInterval(this.extending);
    this.watchdog?.[Symbol.dispose]();
  }
}

const alive: Notice = { WATCHDOG: "1" };

/** Asks for so much time from now on, in microseconds as all of systemd's. */
function moreTime(ms: number): Notice {
  return { EXTEND_TIMEOUT_USEC: String(ms * 1000) };
}

/** What `systemctl status` shows: where it listens and how full it is. */
export function statusOf({ listeners, usage }: Supervised): string {
  const places = listeners.map(({ address, push }) => `${address} (${push ? "pull and push" : "pull"})`).join(", ");
  const { bytes, quota } = usage?.() ?? {};
  if (bytes === undefined) return `serves on ${places}`;
  return `serves on ${places}; ${readable(bytes)}${quota === undefined ? "" : ` of ${readable(quota)}`}`;
}
