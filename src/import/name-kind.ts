import type { MaybePromise } from "../base/maybe-promise.ts";
import type { Tenant } from "../cache/tenant.ts";
import type { NewRef } from "../store/ref-store.ts";
import type { Layout } from "./old-cache.ts";

/** A file that is a name for content. */
export interface NameFile {
  /** Its path below the kind's folder. */
  readonly key: string;
  readonly bytes: Uint8Array;
  /** When it was last written or asked for, in milliseconds since 1970: old servers keep that in the file's time. */
  readonly time: number;
}

/**
 * Another small file of the old server's that belongs to a name, by its path below the server's directory: `undefined` where there is none, or an empty one.
 * What `check` finds wrong with it is told, and it is left out.
 */
export type Beside = (path: string, check: (bytes: Uint8Array) => void) => Promise<Uint8Array | undefined>;

/** One way in which an old server names content: a file for each name, somewhere below one folder. */
export interface NameKind {
  /** What messages and results call such names. */
  readonly what: "references" | "artifacts" | "sources" | "assets" | "actionResults" | "ostreeRefs";
  readonly layout: Layout;
  /** Below the server's directory. */
  readonly folder: string;
  /** Whether a path below the folder is that of a name; what else lies there is left alone. */
  readonly isName: (key: string) => boolean;
  /**
   * The refs that a client would have made with the same content; more than one stands or falls together. `undefined` where something is missing without which
   * they cannot be made. Errors: `invalid` for a file that is not what it should be.
   */
  readonly read: (file: NameFile, tenant: Tenant, beside: Beside) => MaybePromise<readonly NewRef[] | undefined>;
}

/** A key of BuildStream: names that end in a SHA-256 hash. Files of other names are what a crash has left. */
export function endsInCacheKey(key: string): boolean {
  return /(^|\/)[0-9a-f]{64}$/.test(key);
}
