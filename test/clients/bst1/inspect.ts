import { join } from "node:path";
import type { BstClient } from "../support/bst.ts";
import { listFolder } from "../support/folder-listing.ts";
import type { Site } from "../support/site.ts";

/** Checks out the whole project's result and lists the files. */
export async function checkoutListing(machine: BstClient, site: Site): Promise<string[]> {
  const folder = join(await site.workspace.folder("checkout"), "root");
  await machine.ok(site.project, "checkout", "--deps", "run", "all.bst", folder);
  return listFolder(folder);
}

/** Key and state of each element that `all.bst` needs, one per line. */
export async function showAll(machine: BstClient, site: Site): Promise<string[]> {
  const format = ["--deps", "all", "--format", "%{name} %{full-key} %{state}"];
  return (await machine.ok(site.project, "show", ...format, "all.bst")).stdout.trim().split("\n");
}
