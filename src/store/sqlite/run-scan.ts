import { type ErrorCode, StillageError } from "../../base/errors.ts";
import { startWorker } from "../../base/worker.ts";
import type { PackedRefs } from "../packed-refs.ts";
import type { RefKind } from "../ref-admin.ts";
import type { ScannedRefs } from "./ref-scan.ts";

/** What a thread is to read: the order of all refs, or those of one kind that have not expired at a time. */
export interface ScanTask {
  readonly file: string;
  readonly listing?: { readonly kind: RefKind; readonly now: number };
}

/** Reads all refs in a thread of its own, as they are at one moment after the call. Errors: those of reading. */
export function runScan(task: ScanTask & { readonly listing: object }): Promise<PackedRefs>;
export function runScan(task: ScanTask): Promise<ScannedRefs>;
export function runScan(task: ScanTask): Promise<ScannedRefs | PackedRefs> {
  return new Promise((resolve, reject) => {
    const worker = startWorker("./ref-scan.worker.ts", import.meta.url, { workerData: task });
    type Said = ScannedRefs | PackedRefs | { readonly code: ErrorCode; readonly message: string };
    worker.once("message", (said: Said) => {
      if ("code" in said) reject(new StillageError(said.code, said.message));
      else resolve(said);
    });
    const failed = (cause?: unknown): void =>
      reject(new StillageError("internal", "the reader of refs failed", { cause }));
    worker.once("error", failed);
    worker.once("exit", () => failed());
  });
}
