import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../../cli/support/programs.ts";
import { artifactsAt, openSite } from "../support/site.ts";
import { assertQueue } from "./inspect.ts";

const elements = ["data/tree.bst", "data/big.bst"];

/** Between what is to go and what is to stay: what is old is so by whole seconds. */
const ageMs = 4000;

/** What a sweep leaves, and what becomes of the rest. */
export function testExpiry(version: string): void {
  test("of two artifacts the one that was pulled stays, and the one that went is built again and is back", async () => {
    await using site = await openSite(version);
    const folder = await site.workspace.folder("store");
    const server = await site.serve([], folder);
    const builder = await site.machine("builder", artifactsAt(server, true));
    assertQueue(await builder.ok(site.project, "build", ...elements), "Push", "processed", 2);
    await delay(ageMs);
    const user = await site.machine("user", artifactsAt(server, false));
    assertQueue(await user.ok(site.project, "artifact", "pull", "data/tree.bst"), "Pull", "processed", 1);
    assert.equal(await server.stop(), 0, server.log());

    const sweep = ["store", "sweep", "--store", folder, "--lease", "0s", "--max-age", "2s", "--json"];
    const { status, stdout, stderr } = await run("stillage", sweep, { cwd: folder });
    assert.equal(status, 0, stderr);
    const { removed } = JSON.parse(stdout) as { removed: { blobs: number } };
    assert.ok(removed.blobs > 0);

    const again = await site.serve([], folder);
    const other = await site.machine("other", artifactsAt(again, true));
    const healed = await other.ok(site.project, "build", ...elements);
    assertQueue(healed, "Pull", "processed", 1);
    assertQueue(healed, "Build", "processed", 1);
    assertQueue(healed, "Push", "processed", 1);
    const puller = await site.machine("puller", artifactsAt(again, false));
    assertQueue(await puller.ok(site.project, "artifact", "pull", ...elements), "Pull", "processed", 2);
  });
}
