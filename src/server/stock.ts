import type { MaybePromise } from "../base/maybe-promise.ts";
import type { CommitDesk } from "../cache/commit-index.ts";
import type { ResumableUploads } from "../cache/uploads.ts";
import type { Origin } from "../origin/origin.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { RefStore } from "../store/ref-store.ts";
import type { AccessLog } from "./access-log.ts";
import type { AdmissionCounts } from "./admission-counts.ts";
import type { StatusReport } from "./http/pages.ts";
import type { Meters } from "./metrics/meters.ts";

/** What fetches from the web, as doors see it. */
export type OriginDesk = Pick<Origin, "find" | "fetch">;

/** Names and blobs, wherever they are kept. */
export interface Shelves {
  /** The blobs of an instance name. */
  blobs(instance: string): BlobStore;
  readonly refs: RefStore;
  /** Counts removals, as BlobStoreAdmin does. */
  removals(): number;
}

/** Everything of which a server has one, as the doors of one thread see it: here, or in the thread of the store. */
export interface Stock extends Shelves {
  /** What is known of the commits of an instance that there is. */
  readonly commits: (instance: string) => CommitDesk;
  readonly uploads: ResumableUploads;
  readonly origin: OriginDesk | undefined;
  readonly counts: AdmissionCounts;
  readonly accessLog: AccessLog | undefined;
  /** Takes the metrics of this thread's doors. */
  readonly meters: Meters;
  /** The metrics of the whole server in the text format of Prometheus. */
  metrics(): Promise<string>;
  status(): MaybePromise<StatusReport>;
}
