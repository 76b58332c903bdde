import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { storedName } from "./bst2/catalogue.ts";
import { assertQueue, removeUpstream } from "./bst2/inspect.ts";
import { CatalogueClient } from "./support/catalogue.ts";
import { clientsFolder } from "./support/checkout.ts";
import { bothAt, openSite } from "./support/site.ts";

/** Elements that need no sandbox: 1.93.4 cannot use the one that later releases bring. With what they depend on they are four. */
const elements = ["base.bst", "data/tree.bst", "data/big.bst"];
const count = 4;

// Of the sources, 1.93 pushes those that elements have of their own; the stack has none.
for (const [version, sources, generation] of [
  ["1.93.4.dev0", 3, "1.9x"],
  ["1.95.6.dev0", 4, "2.x"],
] as const) {
  /** False, said aloud, where the release is not there. */
  const atHand = (context: TestContext): boolean => {
    if (existsSync(join(clientsFolder, `bst-${version}/bin/bst`))) return true;
    context.skip(`BuildStream ${version} needs a Python 3.8`);
    return false;
  };

  describe(`BuildStream ${version}`, { concurrency: 2 }, () => {
    test("what one machine builds and pushes, another pulls and does not build", async (context) => {
      if (!atHand(context)) return;
      await using site = await openSite(version);
      const server = await site.serve();
      const builder = await site.machine("builder", bothAt(server, true));
      const built = await builder.ok(site.project, "build", ...elements);
      assertQueue(built, "Build", "processed", count);
      assertQueue(built, "Push", "processed", count);
      assertQueue(built, "Src-push", "processed", sources);
      await removeUpstream(site);

      const puller = await site.machine("puller", bothAt(server, false));
      const pulled = await puller.ok(site.project, "build", ...elements);
      assertQueue(pulled, "Pull", "processed", count);
      assertQueue(pulled, "Build", "processed", 0);
      const taker = await site.machine("taker", { sources: bothAt(server, false).sources ?? [] });
      await taker.ok(site.project, "source", "fetch", ...elements);
    });

    test("the catalogue shows what was pushed as the client itself does", async (context) => {
      if (!atHand(context)) return;
      await using site = await openSite(version);
      const server = await site.serve();
      const builder = await site.machine("builder", bothAt(server, true));
      await builder.ok(site.project, "build", ...elements);
      const catalogue = new CatalogueClient(server);
      const listed = await catalogue.list();
      const format = ["--deps", "all", "--format", "%{name} %{full-key}"];
      const shown = (await builder.ok(site.project, "show", ...format, ...elements)).stdout.trim().split("\n");
      const own = shown.map((line) => line.split(" ") as [string, string]);
      assert.deepEqual(
        new Set(listed.map((each) => `${each.element} ${each.keys[0]} ${each.generation}`)),
        new Set(own.map(([element, key]) => `${storedName(element)} ${key} ${generation}`)),
      );
      for (const [element, key] of own) {
        const name = `harbour/${encodeURIComponent(element)}/${key}`;
        const artifact = await catalogue.show(name);
        assert.deepEqual([artifact.complete, artifact.build.success, artifact.problems], [true, true, []], element);
        assert.deepEqual(
          [artifact.cacheKeys.strong, artifact.keys.includes(artifact.cacheKeys.weak ?? "")],
          [key, true],
        );
        if (element === "base.bst") continue; // a stack: these clients say that it has no artifact
        const contents = (await builder.ok(site.project, "artifact", "list-contents", element)).stdout.split("\n");
        const paths = contents.filter((line) => line.startsWith("\t")).map((line) => line.slice(1));
        assert.deepEqual((await catalogue.files(name)).map(({ path }) => path).sort(), paths.sort(), element);
        const { stdout } = await builder.ok(site.project, "artifact", "log", element);
        assert.equal((await catalogue.logs(name)).trim(), stdout.trim(), element);
      }
    });

    test("who may only read pulls everything, and pushes nothing", async (context) => {
      if (!atHand(context)) return;
      await using site = await openSite(version);
      const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
      const server = await site.serve(listen);
      const pulling = { address: server.listeners[1]?.address ?? "" };
      const builder = await site.machine("builder", bothAt(server, true));
      await builder.ok(site.project, "build", "data/tree.bst");
      const reader = await site.machine("reader", bothAt(pulling, false));
      assertQueue(await reader.ok(site.project, "build", ...elements), "Pull", "processed", 1);
      const pusher = await reader.configured(bothAt(pulling, true));
      const pushed = await pusher.run(site.project, "artifact", "push", "data/big.bst");
      assert.notEqual(pushed.status, 0);
      assert.match(pushed.stderr, /does not allow push|PERMISSION_DENIED/);
    });
  });
}
