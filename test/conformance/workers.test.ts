import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { createWorkspace, type Workspace } from "../clients/support/workspace.ts";
import { runCase, type Target } from "./case.ts";
import { suite } from "./suite.ts";

// A part of the suite against a server with two workers: what goes over to the thread of the store in a way of its own. All of it, against
// any number of workers: STILLAGE_WORKERS=2 node --test test/conformance/stillage.test.ts

const parts = /^(bytestream|query-write-status|batch|find-missing|action-cache|references|http-cache|full)/;

let workspace: Workspace;
const servers: ServerUnderTest[] = [];
let target: Target;

before(async () => {
  workspace = await createWorkspace();
  const start = async (name: string, options: readonly string[]) => {
    const server = await startServer(await workspace.folder(name), ["--workers", "2", ...options]);
    servers.push(server);
    return `grpc://${server.address}`;
  };
  const instances = ["--instance", "", "--instance", "main", "--instance", "team/alpha"];
  const url = await start("whole", instances);
  const small = await start("small", ["--quota", "64MiB"]);
  target = { url, small, instance: "", others: ["main", "team/alpha"] };
});

after(async () => {
  for (const server of servers) await server.stop();
  await workspace[Symbol.asyncDispose]();
});

for (const each of suite.filter(({ id }) => parts.test(id))) {
  test(`two workers: ${each.id}`, async () => {
    const { result, why } = await runCase(each, target);
    if (result === "failed") assert.fail(why);
  });
}

test("nothing of this is an error to the servers themselves", () => {
  for (const server of servers) assert.doesNotMatch(server.log(), /"level":"(error|fatal)"/);
});
