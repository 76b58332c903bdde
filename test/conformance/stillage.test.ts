import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { createWorkspace, type Workspace } from "../clients/support/workspace.ts";
import { runCase, type Target } from "./case.ts";
import { runSuite, suite } from "./suite.ts";

// Every case, against a whole cache with a port for pushes and one for pulls, an index alone,
// a storage alone and a small one.

let workspace: Workspace;
const servers: ServerUnderTest[] = [];
let target: Target;
let smallStorage: string;

before(async () => {
  workspace = await createWorkspace();
  const start = async (name: string, options: readonly string[]) => {
    const server = await startServer(await workspace.folder(name), options);
    servers.push(server);
    return server.listeners.map(({ address }) => `grpc://${address}`);
  };
  const ports = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
  const instances = ["--instance", "", "--instance", "main", "--instance", "team/alpha"];
  const limit = ["--max-blob-bytes", "1GiB"];
  const [url = "", pullOnly = ""] = await start("whole", [...ports, ...instances, ...limit]);
  const [indexOnly = ""] = await start("index", ["--services", "index"]);
  const [storageOnly = ""] = await start("storage", ["--services", "storage"]);
  const [small = ""] = await start("small", ["--quota", "64MiB"]);
  [smallStorage = ""] = await start("small-storage", ["--quota", "64MiB", "--services", "storage"]);
  target = { url, pullOnly, indexOnly, storageOnly, small, older: url, instance: "", others: ["main", "team/alpha"] };
});

after(async () => {
  for (const server of servers) await server.stop();
  await workspace[Symbol.asyncDispose]();
});

for (const each of suite) {
  test(`${each.id}: ${each.title}`, async () => {
    const { result, why } = await runCase(each, target);
    if (result !== "passed") assert.fail(why);
  });
}

test("a full storage says what a full cache says: the index beside it would be told of what is not there", async () => {
  const [outcome] = await runSuite({ ...target, small: smallStorage }, { only: "full/when-to-retry" });
  assert.deepEqual([outcome?.result, outcome?.why], ["passed", undefined]);
});

test("nothing of this is an error to the servers themselves", () => {
  for (const server of servers) assert.doesNotMatch(server.log(), /"level":"(error|fatal)"/);
});

test("ids are unique", () => {
  assert.equal(new Set(suite.map(({ id }) => id)).size, suite.length);
});
