import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { storedName } from "../bst2/catalogue.ts";
import { CatalogueClient } from "../support/catalogue.ts";
import { runOk } from "../support/program.ts";
import { elementCount } from "../support/project.ts";
import { artifactsAt, openSite } from "../support/site.ts";

/** What a client has pushed, as the catalogue shows it. */
export function testCatalogue(version: string): void {
  test("the catalogue shows what was pushed as the client itself does", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    const catalogue = new CatalogueClient(server);

    const format = ["--deps", "all", "--format", "%{name} %{full-key}", "all.bst"];
    const shown = (await builder.ok(site.project, "show", ...format)).stdout.trim().split("\n");
    const own = shown.map((line) => line.split(" ") as [string, string]);
    const listed = await catalogue.list();
    assert.equal(listed.length, elementCount);
    assert.deepEqual(
      new Set(listed.map((each) => `${each.element} ${each.keys[0]} ${each.generation}`)),
      new Set(own.map(([element, key]) => `${storedName(element)} ${key} 1.x`)),
    );
    for (const [element, key] of own) {
      const name = `harbour/${encodeURIComponent(element)}/${key}`;
      const artifact = await catalogue.show(name);
      assert.deepEqual([artifact.complete, artifact.build.success, artifact.problems], [true, true, []], element);
      assert.deepEqual([artifact.cacheKeys.strong, artifact.keys.includes(artifact.cacheKeys.weak ?? "")], [key, true]);
      const deps = ["show", "--deps", "build", "--format", "%{name} %{full-key}", element];
      const needed = (await builder.ok(site.project, ...deps)).stdout
        .trim()
        .split("\n")
        .filter((line) => line !== "");
      const dependencies = await catalogue.dependencies(name);
      assert.deepEqual(new Set(dependencies.map((each) => `${each.element} ${each.key}`)), new Set(needed), element);
      assert.ok(
        dependencies.every((each) => each.artifact?.project === "harbour"),
        element,
      );
    }
    for (const element of ["data/tree.bst", "app.bst"]) {
      const key = own.find(([name]) => name === element)?.[1];
      const name = `harbour/${encodeURIComponent(element)}/${key}`;
      const folder = join(await site.workspace.folder("checkout"), "root");
      await builder.ok(site.project, "checkout", "--no-integrate", "--deps", "none", element, folder);
      const files = (await runOk("find", [folder, "-mindepth", "1", "-printf", "%P\\n"])).trim().split("\n");
      assert.deepEqual((await catalogue.files(name)).map(({ path }) => path).sort(), files.sort(), element);
      assert.match(await catalogue.logs(name), new RegExp(`SUCCESS.*${storedName(element)}|${element}`));
    }
  });
}
