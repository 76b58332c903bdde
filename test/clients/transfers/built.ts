import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { checkoutListing, removeUpstream } from "../bst2/inspect.ts";
import type { BstClient } from "../support/bst.ts";
import { artifactsAt, openSite, type Site } from "../support/site.ts";
import type { ServerUnderTest } from "../support/stillage.ts";

/** A project that one machine has built, and pushed to a server with the real program. */
export interface Built extends AsyncDisposable {
  readonly site: Site;
  readonly builder: BstClient;
  readonly server: ServerUnderTest;
  /** All artifacts, each by one of its keys. */
  readonly names: readonly string[];
  readonly listing: readonly string[];
}

export async function buildSite(version: string): Promise<Built> {
  await using opened = new AsyncDisposableStack();
  const site = opened.use(await openSite(version));
  const server = await site.serve();
  const builder = await site.machine("builder", artifactsAt(server, true));
  await builder.ok(site.project, "build", "all.bst");
  await removeUpstream(site);
  const refs = join(builder.cache, "artifacts/refs");
  const files = (await readdir(refs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const byElement = new Map(files.map(({ parentPath, name }) => [parentPath, relative(refs, join(parentPath, name))]));
  const listing = await checkoutListing(builder, site);
  const parts = opened.move();
  return {
    site,
    builder,
    server,
    names: [...byElement.values()],
    listing,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
