import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { made } from "../../src/origin/archive/archive.fixture.ts";
import { startWebServer } from "../../src/origin/web-server.fixture.ts";
import { checkout, clientsFolder } from "../clients/support/checkout.ts";
import { runOk } from "../clients/support/program.ts";
import { startServer } from "../clients/support/stillage.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { programFile } from "../support/program-file.ts";
import { blocksOf } from "./markdown.ts";

const blocks = blocksOf(readFileSync(join(checkout, "docs/ORIGIN.md"), "utf8"));
const starting = (text: string): string => blocks.find((block) => block.text.startsWith(text))?.text ?? "";

test("the snippet of stillage.yaml passes `stillage config check`", async () => {
  await using workspace = await createWorkspace();
  const file = join(await workspace.folder("etc"), "stillage.yaml");
  await writeFile(file, starting("# stillage.yaml"));
  await runOk(process.execPath, [programFile("stillage"), "config", "check", "--config", file], { cwd: checkout });
});

test("the snippet for Bazel has the flags that Bazel is tested with", () => {
  const tested = readFileSync(join(checkout, "test/clients/bazel-origin.test.ts"), "utf8");
  const flags = [...starting("# .bazelrc").matchAll(/build (--\w+=grpc:\/\/)/g)].map(([, flag = ""]) => flag);
  assert.equal(flags.length, 2);
  for (const flag of flags) assert.ok(tested.includes(flag), flag);
});

test("grpcurl has an archive fetched as the snippet says", async () => {
  const command = starting("grpcurl");
  assert.notEqual(command, "");
  await using workspace = await createWorkspace();
  await using web = await startWebServer();
  const archive = made("mkdir lib-1.0; echo x > lib-1.0/x; tar czf out lib-1.0");
  web.on("/lib-1.0.tar.gz", archive);
  const options = ["--origin-fetch", "verified", "--origin-allow", `127.0.0.1:${web.port}`];
  await using server = await startServer(await workspace.folder("store"), options);
  const sum = createHash("sha256").update(archive).digest("base64");
  const script = command
    .replace("https://example.com", web.url)
    .replace("sha256-…", `sha256-${sum}`)
    .replace("127.0.0.1:11001", server.address);
  const PATH = `${join(clientsFolder, "bin")}:${process.env.PATH}`;
  const answer = JSON.parse(await runOk("bash", ["-c", script], { env: { PATH } }));
  assert.equal(answer.uri, `${web.url}/lib-1.0.tar.gz`);
  assert.match(answer.rootDirectoryDigest.hash, /^[0-9a-f]{64}$/);
});
