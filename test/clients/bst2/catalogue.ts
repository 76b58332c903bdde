import assert from "node:assert/strict";
import { test } from "node:test";
import { CatalogueClient } from "../support/catalogue.ts";
import { elementCount } from "../support/project.ts";
import { artifactsAt, openSite } from "../support/site.ts";
import { artifactLog, keyOf } from "./inspect.ts";

/** How an element's file stands in the names of artifacts. */
export const storedName = (element: string): string =>
  element
    .replace(/\.bst$/, "")
    .replaceAll("/", "-")
    .replace(/[^\w.-]/g, "_");

/** What a client has pushed, as the catalogue shows it. */
export function testCatalogue(version: string): void {
  test("the catalogue shows what was pushed as the client itself does", async () => {
    await using site = await openSite(version);
    const server = await site.serve();
    const builder = await site.machine("builder", artifactsAt(server, true));
    await builder.ok(site.project, "build", "all.bst");
    const failed = await builder.run(site.project, "build", "broken.bst");
    assert.notEqual(failed.status, 0);
    const catalogue = new CatalogueClient(server);

    const listed = await catalogue.list("&project=harbour");
    const format = ["--deps", "all", "--format", "%{name} %{full-key}", "all.bst", "broken.bst"];
    const shown = (await builder.ok(site.project, "show", ...format)).stdout.trim().split("\n");
    const own = shown.map((line) => line.split(" ") as [string, string]);
    assert.equal(own.length, elementCount + 1);
    assert.deepEqual(
      new Set(listed.map(({ element, keys }) => `${element} ${keys[0]}`)),
      new Set(own.map(([element, key]) => `${storedName(element)} ${key}`)),
    );
    for (const { generation, pushedBy } of listed) assert.deepEqual([generation, pushedBy], ["2.x", "127.0.0.1"]);

    for (const [element, key] of own) {
      const artifact = await catalogue.show(`harbour/${encodeURIComponent(element)}/${key}`);
      const good = element !== "broken.bst";
      assert.deepEqual([artifact.complete, artifact.build.success, artifact.problems], [true, good, []], element);
      assert.equal(artifact.cacheKeys.strong, key);
      const deps = ["show", "--deps", "build", "--format", "%{name} %{full-key}", element];
      const needed = (await builder.ok(site.project, ...deps)).stdout
        .trim()
        .split("\n")
        .filter((line) => line !== "");
      const dependencies = await catalogue.dependencies(`harbour/${encodeURIComponent(element)}/${key}`);
      assert.deepEqual(new Set(dependencies.map((each) => `${each.element} ${each.key}`)), new Set(needed), element);
      assert.ok(
        dependencies.every((each) => each.artifact?.element === storedName(each.element)),
        element,
      );
    }

    for (const element of ["data/tree.bst", "data/big.bst", "runtime.bst", "app.bst"]) {
      const name = `harbour/${encodeURIComponent(element)}/${await keyOf(builder, site, element)}`;
      const contents = (await builder.ok(site.project, "artifact", "list-contents", element)).stdout.split("\n");
      const paths = contents.filter((line) => line.startsWith("\t")).map((line) => line.slice(1));
      assert.ok(paths.length > 0);
      assert.deepEqual((await catalogue.files(name)).map(({ path }) => path).sort(), paths.sort(), element);
      assert.equal((await artifactLog(builder, site, element)).trim(), (await catalogue.logs(name)).trim(), element);
    }
    const tree = await catalogue.files(`harbour/data-tree/${await keyOf(builder, site, "data/tree.bst")}`);
    const byName = new Map(tree.map((file) => [file.path.split("/").at(-1), file]));
    assert.equal(byName.get("run.sh")?.executable, true);
    assert.equal(byName.get("shortcut")?.target, "deep/er");
    assert.equal(byName.get("hollow")?.type, "directory");
    assert.equal(byName.get("grüße 船.txt")?.digest?.size, 16);
  });
}
