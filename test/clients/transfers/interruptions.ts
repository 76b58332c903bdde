import assert from "node:assert/strict";
import { watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkoutListing } from "../bst2/inspect.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { cacheAt, endOf } from "../support/own-client.ts";
import { elementCount } from "../support/project.ts";
import type { Built } from "./built.ts";
import { ownAt, results } from "./with-bst2.ts";

/** Bytes after which a server falls silent: some artifacts have come by then, and the large file not. */
const partBytes = 2_500_000;

/** How long somebody waits who has pressed Ctrl-C: a moment, on a machine that does much else. */
const momentMs = 5000;

/** The blobs of a cache, each with what tells it from another file of that name. */
async function blobFiles(cache: string): Promise<string[]> {
  const objects = join(cache, "cas/objects");
  const entries = await readdir(objects, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => `${file} ${(await stat(file)).ino}`));
}

/** Resolves when there is a name in a cache: something has come, whole. */
async function namedIn(cache: string): Promise<void> {
  const refs = join(cache, "artifacts/refs");
  await mkdir(refs, { recursive: true });
  for (const watcher = watch(refs, { recursive: true }); ; ) {
    await new Promise((resolve) => watcher.once("change", resolve));
    const entries = await readdir(refs, { recursive: true, withFileTypes: true });
    if (!entries.some((entry) => entry.isFile())) continue;
    watcher.close();
    return;
  }
}

/** Pulls and pushes that are stopped in the middle, and go on. */
export function testInterruptions(built: () => Promise<Built>): void {
  for (const [title, signal] of [
    ["killed", "SIGKILL"],
    ["stopped by Ctrl-C", "SIGINT"],
  ] as const) {
    test(`a pull that is ${title} goes on where it was`, async () => {
      const { site, server, names, listing } = await built();
      const own = await ownAt(site, "own");
      const machine = await site.machine("interrupted");
      await using proxy = await startFaultProxy(server.address, () => ({ down: { stallAfter: partBytes } }));
      const child = own.start("artifact", "pull", ...cacheAt(machine, proxy.address), ...names);
      const ended = endOf(child);
      await Promise.race([namedIn(machine.cache), ended]);
      const asked = performance.now();
      child.kill(signal);
      const end = await ended;
      if (signal === "SIGINT") {
        assert.deepEqual([end.status, end.signal], [1, null], end.said);
        assert.match(end.said, /stopped; what has arrived stays/);
        assert.ok(performance.now() - asked < momentMs);
      } else assert.equal(end.signal, "SIGKILL", end.said);
      const before = await blobFiles(machine.cache);
      assert.ok(before.length > 0);
      const rest = await own.ok("artifact", "pull", ...cacheAt(machine, server.address), ...names);
      assert.equal(
        Object.values(results(rest)).reduce((sum, each) => sum + each),
        elementCount,
      );
      assert.ok((results(rest).present ?? 0) > 0, rest.stdout);
      // What had come, stayed, and did not come again.
      const after = new Set(await blobFiles(machine.cache));
      assert.deepEqual(
        before.filter((file) => !after.has(file)),
        [],
      );
      assert.deepEqual(await checkoutListing(machine, site), listing);
    });
  }

  test("a push and a mirror that are killed name nothing that is not whole, and go on", async () => {
    const { site, builder, server } = await built();
    const own = await ownAt(site, "own");
    const target = await site.serve();
    await using proxy = await startFaultProxy(target.address, () => ({ up: { stallAfter: partBytes } }));
    const stalled = async (...words: string[]): Promise<void> => {
      const child = own.start(...words);
      const ended = endOf(child);
      // Whatever has got through by then: nothing more does.
      await Promise.race([passedBytes(() => proxy.passed.up, partBytes), ended]);
      child.kill("SIGKILL");
      assert.equal((await ended).signal, "SIGKILL");
    };
    await stalled("artifact", "push", ...cacheAt(builder, proxy.address), "harbour/*");
    proxy.plan(() => ({ up: { stallAfter: partBytes } }));
    const machine = await site.machine("target");
    // What is named there can be pulled, whole.
    const pulled = await own.run("artifact", "pull", ...cacheAt(machine, target.address), "harbour/*");
    assert.equal(results(pulled).failed, undefined, pulled.stdout);
    const rest = results(await own.ok("mirror", `http://${server.address}`, `http://${target.address}`));
    assert.equal((rest.copied ?? 0) + (rest.present ?? 0), elementCount);
    assert.deepEqual(results(await own.ok("mirror", `http://${server.address}`, `http://${target.address}`)), {
      present: elementCount,
    });
  });
}

async function passedBytes(count: () => number, wanted: number): Promise<void> {
  while (count() < wanted) await new Promise((resolve) => setImmediate(resolve));
}
