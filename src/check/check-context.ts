import { relative } from "node:path";
import type { Clock } from "../base/clock.ts";
import { type Digest, keyOfDigest } from "../base/digest.ts";
import type { CheckWorkers } from "./check-workers.ts";
import type { Finding, FindingKind, Findings } from "./findings.ts";
import type { Quarantine } from "./quarantine.ts";

/** What the parts of a check share. */
export interface CheckContext {
  /** The store's directory. */
  readonly store: string;
  readonly repair: boolean;
  readonly clock: Clock;
  readonly findings: Findings;
  readonly quarantine: Quarantine;
  readonly workers: CheckWorkers;
  readonly tally: Tally;
}

/** What was read and is in order. */
export interface Tally {
  packs: number;
  files: number;
  blobs: number;
  refs: number;
}

/** One tenant's blobs of one function. */
export interface CheckedShelf {
  readonly instance: string;
  readonly directory: string;
  readonly function: Digest["function"];
  /** What is listed and not whole, by `keyOfDigest`. */
  readonly broken: Set<string>;
}

/** Notes something about a file. */
export function found({ findings, store }: CheckContext, kind: FindingKind, path: string, what: string): Finding {
  return findings.add(kind, relative(store, path), what);
}

/** Notes a blob that is not what it should be. */
export function foundBroken(
  context: CheckContext,
  shelf: CheckedShelf,
  digest: Digest,
  path: string,
  { kind, what }: { readonly kind: FindingKind; readonly what: string },
): Finding {
  shelf.broken.add(keyOfDigest(digest));
  const instance = JSON.stringify(shelf.instance);
  return found(
    context,
    kind,
    path,
    `${digest.function.name} ${digest.hash}/${digest.size} of instance ${instance}: ${what}`,
  );
}
