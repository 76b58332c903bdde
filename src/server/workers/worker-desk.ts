import type { Log } from "../../base/log.ts";
import { UploadDesk } from "../../cache/upload-desk.ts";
import { refDesk } from "../../store/threads/ref-desk.ts";
import { type DoorAsks, StoreDesk } from "../../store/threads/store-desk.ts";
import type { StatusReport } from "../http/pages.ts";
import type { Rooms } from "../rooms.ts";
import type { StoreSide } from "../store-side.ts";
import { OriginCounter } from "./distant-origin.ts";
import { fieldsOfSent, type SentFields } from "./log-fields.ts";

/** What the thread of the store answers a worker. */
export type WorkerAsks = ReturnType<WorkerDesk["answers"]>;

/** What is asked of the server as a whole. */
export interface WholeServer {
  metrics(): Promise<string>;
  status(): StatusReport;
}

/** Everything that one worker asks of the thread of the store, and what it holds there. */
export class WorkerDesk {
  private readonly store: StoreDesk;
  private readonly uploads: UploadDesk;
  private readonly origin: OriginCounter;
  private readonly side: StoreSide;
  private readonly whole: WholeServer;
  private readonly log: Log;

  constructor(
    side: StoreSide,
    parts: { readonly rooms: Rooms; readonly whole: WholeServer; readonly log: Log },
    recall: DoorAsks["recallUpload"],
  ) {
    const { cache, uploads, origin } = side;
    this.store = new StoreDesk((instance) => cache.store.tenant(instance), recall);
    this.uploads = new UploadDesk(uploads, this.store);
    this.origin = new OriginCounter(origin, parts.rooms.tenants);
    this.side = side;
    this.whole = parts.whole;
    this.log = parts.log;
  }

  /** Open blobs, batches and uploads that the worker has. */
  get held(): number {
    return this.store.held;
  }

  answers() {
    const { side, whole, log } = this;
    return {
      ...this.store.answers(),
      ...this.uploads.answers(),
      ...refDesk(side.cache.refs),
      ...this.origin.answers(),
      ...side.commits.answers(),
      metrics: (): Promise<string> => whole.metrics(),
      status: (): StatusReport => whole.status(),
      accessLines: (lines: string): void => side.accessFile?.write(lines),
      log: (level: keyof Log, fields: SentFields, message: string): void => log[level](fieldsOfSent(fields), message),
    };
  }

  /** Frees what the worker held, once it has ended. */
  async close(): Promise<void> {
    this.origin.end();
    await this.uploads.end();
    await this.store.close();
  }
}
