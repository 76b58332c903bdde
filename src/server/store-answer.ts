import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stampFile } from "../store/disk/format-stamp.ts";
import type { RefStore } from "../store/ref-store.ts";

/**
 * Resolves once the store has answered: its database has looked for a name, and a thread for files has read one of the directory's. Where
 * the disk hangs, so do those threads, and it does not resolve. Rejects with the failure where there is one.
 */
export async function storeAnswers(directory: string, refs: Pick<RefStore, "get">): Promise<void> {
  // A name that nobody can push: URIs and keys have no zero characters.
  await refs.get({ space: "asset", instance: "", name: "\0" });
  await readFile(join(directory, stampFile));
}
