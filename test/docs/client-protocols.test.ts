import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkout } from "../clients/support/checkout.ts";
import { runProgram } from "../clients/support/program.ts";
import { startServer } from "../clients/support/stillage.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const page = readFileSync(join(checkout, "docs/CLIENT.md"), "utf8");
const blocks = blocksOf(/^## Protocols$[\s\S]*?(?=^## |$(?![\s\S]))/m.exec(page)?.[0] ?? "");
const block = (begin: string): string => blocks.find(({ text }) => text.startsWith(begin))?.text ?? "";

/** What differs from run to run: the time of a call, and the version. */
const evened = (text: string): string =>
  text.replace(/\t\d+\.\d\t/g, "\t0.7\t").replace(/Stillage [^\t]+/g, "Stillage");

test("the check of two remotes", async () => {
  await using workspace = await createWorkspace();
  const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
  await using server = await startServer(await workspace.folder("store"), listen);
  const [pushing = "", pulling = ""] = server.listeners.map(({ address }) => address);
  const real = (text: string): string =>
    text.replaceAll("127.0.0.1:11001", pushing).replaceAll("127.0.0.1:11002", pulling);
  const [program, ...words] = real(block("stillage remote check")).trim().split(" ");
  assert.equal(program, "stillage");
  const checked = await runProgram(process.execPath, [programFile("stillage"), ...words], {
    cwd: workspace.path,
    env: { PATH: process.env.PATH, HOME: workspace.path },
  });
  assert.equal(evened(checked.stdout), evened(real(block("http://"))));
  assert.deepEqual([checked.status, checked.stderr], [1, ""]);
});
