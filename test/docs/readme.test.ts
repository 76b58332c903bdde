import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { parse, parseDocument } from "yaml";
import { snippets } from "../../src/cli/client-snippets.ts";
import { makeKeyPair } from "../cli/support/key-pair.ts";
import { checkout, clientsFolder } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { openSite } from "../clients/support/site.ts";
import { startServer } from "../clients/support/stillage.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const blocks = blocksOf(readFileSync(join(checkout, "README.md"), "utf8"));
/** For the set-up, where it has something to do. */
const serveLimitMs = 120_000;
const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ text }) => text.split("\n"));

test("every YAML snippet is YAML", () => {
  const snippets = blocks.filter(({ language }) => language === "yaml");
  assert.notEqual(snippets.length, 0);
  for (const { text } of snippets) assert.deepEqual(parseDocument(text).errors, []);
});

test("the snippet of stillage.yaml passes `stillage config check`", async () => {
  await using workspace = await createWorkspace();
  const etc = await workspace.folder("etc");
  for (const name of ["server", "clients"]) await makeKeyPair(etc, name);
  const file = join(etc, "stillage.yaml");
  const snippet = blocks.find(({ text }) => text.startsWith("# stillage.yaml"));
  assert.ok(snippet);
  await writeFile(file, snippet.text.replaceAll("/etc/stillage", etc));
  await runOk(process.execPath, [programFile("stillage"), "config", "check", "--config", file], { cwd: checkout });
});

test("`make serve` serves until it is stopped", async () => {
  assert.ok(commands.some((line) => line.startsWith("make serve ")));
  await using workspace = await createWorkspace();
  const store = await workspace.folder("store");
  const child = spawn("make", ["serve", `STORE=${store}`, "LISTEN=127.0.0.1:0"], {
    cwd: checkout,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: serveLimitMs,
  });
  const ended = once(child, "exit");
  let health: number | undefined;
  try {
    // The log ends when the last process that writes to it has ended, not just make.
    for await (const line of createInterface(child.stderr)) {
      if (!line.includes('"msg":"ready"')) continue;
      const { listeners } = JSON.parse(line) as { listeners: { address: string }[] };
      health = (await fetch(`http://${listeners[0]?.address}/healthz`)).status;
      child.kill("SIGTERM");
    }
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
  assert.equal(health, 200);
});

test("BuildStream pushes and pulls as its snippet says", async () => {
  const snippet = blocks.find(({ text }) => text.includes("source-caches:"))?.text ?? "";
  await using site = await openSite("2.8.1");
  const server = await site.serve();
  const { artifacts, "source-caches": sources } = parse(snippet.replaceAll("127.0.0.1:11001", server.address));
  const configuration = { artifacts: artifacts.servers, sources: sources.servers };
  for (const [machine, queue] of [
    ["builder", "Push"],
    ["puller", "Pull"],
  ] as const) {
    const bst = await site.machine(machine, configuration);
    const built = await bst.ok(site.project, "build", "data/tree.bst");
    assert.equal(built.queue(queue).processed, 1, built.stderr);
  }
});

test("so does BuildStream 1", async () => {
  const snippet = blocks.find(({ text }) => text.startsWith("artifacts:\n- url"))?.text ?? "";
  await using site = await openSite("1.6.8");
  const server = await site.serve();
  const { artifacts } = parse(snippet.replaceAll("127.0.0.1:11001", server.address));
  for (const [machine, queue] of [
    ["builder", "Push"],
    ["puller", "Pull"],
  ] as const) {
    const built = await (await site.machine(machine, { artifacts })).ok(site.project, "build", "data/tree.bst");
    assert.equal(built.queue(queue).processed, 1, built.stderr);
  }
});

test("the other snippets are those that `stillage serve` prints", () => {
  const listener = { address: "127.0.0.1:11001", tls: false, push: true, clientCertificates: false };
  const printed = snippets(listener, { instances: [""], services: "all" });
  for (const client of ["BuildStream 1", "BuildStream 2", "Bazel", "recc"]) {
    const lines = printed.find((each) => each.client.startsWith(client))?.lines.join("\n");
    assert.ok(
      blocks.some(({ text }) => text.trimEnd() === lines),
      client,
    );
  }
});

test("grpcurl lists the services", async () => {
  const list = "grpcurl -plaintext 127.0.0.1:11001 list";
  assert.ok(commands.includes(list));
  await using workspace = await createWorkspace();
  await using server = await startServer(await workspace.folder("store"));
  const [, ...args] = list.replace("127.0.0.1:11001", server.address).split(" ");
  const listed = await runOk(join(clientsFolder, "bin/grpcurl"), args);
  assert.match(listed, /^build\.bazel\.remote\.execution\.v2\.ContentAddressableStorage$/m);
});
