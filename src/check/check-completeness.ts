import { join } from "node:path";
import { showDigest } from "../base/digest.ts";
import { Closure } from "../cache/closure.ts";
import { ReadOnlyTenant } from "../store/disk/read-only-store.ts";
import { openToRead } from "../store/sqlite/open-database.ts";
import { decodeRoots } from "../store/sqlite/root-lines.ts";
import type { CheckContext, CheckedShelf } from "./check-context.ts";
import { refsFile } from "./check-refs.ts";
import { WholeBlobs } from "./whole-blobs.ts";

/** Asks of every name whether all that it needs is here and whole, as a server would. */
export async function checkCompleteness(context: CheckContext, shelves: readonly CheckedShelf[]): Promise<void> {
  const tenants = new Map<string, { readonly blobs: WholeBlobs; readonly closure: Closure }>();
  const tenant = (instance: string) => {
    let there = tenants.get(instance);
    if (there === undefined) {
      const broken = new Set(
        shelves.filter((shelf) => shelf.instance === instance).flatMap((shelf) => [...shelf.broken]),
      );
      const blobs = new WholeBlobs(new ReadOnlyTenant(context.store, instance), broken);
      there = { blobs, closure: new Closure(blobs, () => 0) };
      tenants.set(instance, there);
    }
    return there;
  };
  const database = openToRead(join(context.store, refsFile));
  try {
    const rows = database.prepare("SELECT space, instance, name, roots FROM refs ORDER BY instance");
    for (const row of rows.iterate()) {
      const { blobs, closure } = tenant(String(row.instance));
      blobs.noted.length = 0;
      if (await closure.complete(rootsOf(String(row.roots)))) continue;
      const missing = blobs.noted.map(showDigest).join(", ");
      const what =
        missing === "" ? "what it needs cannot be read as what it should be" : `missing, among others: ${missing}`;
      context.findings.add("ref-incomplete", nameOf(row), what);
    }
  } finally {
    database.close();
  }
}

function rootsOf(text: string) {
  try {
    return decodeRoots(text);
  } catch {
    return []; // noted as unreadable
  }
}

function nameOf({ space, instance, name }: Record<string, unknown>): string {
  return [space, instance, name].map((part) => JSON.stringify(part)).join(" ");
}
