import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { listFolder } from "../support/folder-listing.ts";
import { ownClient } from "../support/own-client.ts";
import { openSite } from "../support/site.ts";

/** The same of the first generation, whose commands are fewer. */
export function testReading1(version: string): void {
  test(`an artifact that bst ${version} built is checked out as bst does it`, async () => {
    await using site = await openSite(version);
    const builder = await site.machine("builder");
    await builder.ok(site.project, "build", "data/tree.bst");
    const folder = await site.workspace.folder("checkouts");
    await builder.ok(site.project, "checkout", "--deps", "none", "data/tree.bst", join(folder, "bst"));
    const own = ownClient(await site.workspace.folder("home"), folder);
    const name = "harbour/data-tree";
    const done = await own.plain("artifact", "checkout", name, join(folder, "own"), "--in", builder.cache);
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(await listFolder(join(folder, "own")), await listFolder(join(folder, "bst")));
    const shown = await own.plain("artifact", "show", name, "--in", builder.cache);
    assert.match(shown.stdout, /^generation\t1\.x$/m);
    assert.match(shown.stdout, /^complete\tyes$/m);
  });
}
