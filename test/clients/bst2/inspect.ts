import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { BstClient, BstResult } from "../support/bst.ts";
import { listFolder } from "../support/folder-listing.ts";
import { elementCount } from "../support/project.ts";
import type { Site } from "../support/site.ts";

/** Key and state of each element that `all.bst` needs, one per line. */
export async function showAll(machine: BstClient, site: Site): Promise<string[]> {
  const format = ["--deps", "all", "--format", "%{name} %{full-key} %{state}"];
  return (await machine.ok(site.project, "show", ...format, "all.bst")).stdout.trim().split("\n");
}

/** Checks out the whole project's result and lists the files. */
export async function checkoutListing(machine: BstClient, site: Site): Promise<string[]> {
  return listCheckout(machine, site, "artifact", "run", "all.bst");
}

/** Checks out what one artifact alone has, by its element's or its own name, and lists the files. */
export async function artifactListing(machine: BstClient, site: Site, name: string): Promise<string[]> {
  return listCheckout(machine, site, "artifact", "none", name);
}

/** Checks out the sources of one element and lists the files. */
export async function sourceListing(machine: BstClient, site: Site, element: string): Promise<string[]> {
  return listCheckout(machine, site, "source", "none", element);
}

async function listCheckout(
  machine: BstClient,
  site: Site,
  what: string,
  deps: string,
  name: string,
): Promise<string[]> {
  const folder = join(await site.workspace.folder("checkout"), "root");
  await machine.ok(site.project, what, "checkout", "--deps", deps, "--directory", folder, name);
  return listFolder(folder);
}

/** The build log of an element's artifact. */
export async function artifactLog(machine: BstClient, site: Site, element: string): Promise<string> {
  return (await machine.ok(site.project, "artifact", "log", element)).stdout;
}

/** The full cache key of one element. */
export async function keyOf(machine: BstClient, site: Site, element: string): Promise<string> {
  const shown = await machine.ok(site.project, "show", "--deps", "none", "--format", "%{full-key}", element);
  return shown.stdout.trim();
}

/** Takes away what the downloaded sources come from. */
export async function removeUpstream(site: Site): Promise<void> {
  await rm(site.project.upstream, { recursive: true });
}

type Outcome = "processed" | "skipped" | "failed";

/** Asserts how many jobs of a queue came out so, with the log where it differs. */
export function assertQueue(result: BstResult, name: string, outcome: Outcome, count: number): void {
  assert.equal(result.queue(name)[outcome], count, `${name} queue: ${outcome}\n${result.stderr}`);
}

/** Asserts that a build or pull got every element of the project from the cache and made none. */
export function assertAllPulled(result: BstResult): void {
  assertQueue(result, "Pull", "processed", elementCount);
  assertQueue(result, "Build", "processed", 0);
  assertQueue(result, "Fetch", "processed", 0);
}
