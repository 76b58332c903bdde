import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CatalogueClient } from "../clients/support/catalogue.ts";
import { checkout } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { artifactsAt, openSite } from "../clients/support/site.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const blocks = blocksOf(readFileSync(join(checkout, "docs/API.md"), "utf8"));
const documented = "127.0.0.1:11001";

test("every command of docs/API.md gives JSON, and the error is that which is shown", async () => {
  await using site = await openSite("2.8.1");
  const server = await site.serve();
  const builder = await site.machine("builder", artifactsAt(server, true));
  await builder.ok(site.project, "build", "data/tree.bst");
  const [artifact] = await new CatalogueClient(server).list();
  const run = async (script: string): Promise<unknown[]> => {
    const here = script.replaceAll(documented, server.address).replaceAll("KEY", artifact?.keys[0] ?? "");
    const output = await runOk("bash", ["-euc", here.replaceAll("curl ", "curl -sS ")]);
    return output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  };
  const found: unknown[] = [];
  for (const { language, text } of blocks) {
    if (language !== "sh") continue;
    assert.ok(text.includes("curl "));
    found.push(...(await run(text)));
  }
  const shown = blocks.find(({ language }) => language === "json")?.text ?? "";
  const { request, ...problem } = found.at(-1) as { request: unknown };
  const { request: shownRequest, ...shownProblem } = JSON.parse(shown) as { request: unknown };
  assert.deepEqual([problem, typeof request], [shownProblem, typeof shownRequest]);
  const failed = found.slice(0, -1).filter((each) => Object.hasOwn(each as object, "status"));
  assert.deepEqual(failed, []);
  const counts = found
    .filter((each) => Object.hasOwn(each as object, "items"))
    .map((each) => (each as { items: [] }).items.length);
  // What data/tree.bst needs to be built is nothing.
  assert.ok(
    counts.slice(0, -1).every((count) => count > 0),
    `an example finds nothing: ${counts.join(" ")}`,
  );
});

test("the README's look at the API works, and so does its command", async () => {
  const readme = blocksOf(readFileSync(join(checkout, "README.md"), "utf8"));
  const command = readme.find(({ text }) => text.startsWith("curl "))?.text ?? "";
  await using site = await openSite("2.8.1");
  const folder = await site.workspace.folder("store");
  const server = await site.serve([], folder);
  const answer = await runOk("bash", ["-c", command.replace(documented, server.address).replace("curl", "curl -sS")]);
  assert.deepEqual(JSON.parse(answer), { items: [], next: null });
  const list = [programFile("stillage"), "artifact", "list", "--in", folder];
  assert.equal(await runOk(process.execPath, list, { cwd: checkout }), "");
});
