import assert from "node:assert/strict";
import { access, appendFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { snippets } from "../../src/cli/client-snippets.ts";
import { makeAccess } from "./support/access.ts";
import { actionCount, type BazelResult, bazelBuild, writeWorkspace } from "./support/bazel.ts";
import { listFolder } from "./support/folder-listing.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

/** A Bazel workspace and machines that share it by turns. (No TLS: Debian's Bazel lacks the libraries for it.) */
async function openYard(workspace: Workspace) {
  const sources = join(workspace.path, "yard");
  await writeWorkspace(sources);
  return {
    sources,
    /** Builds on a new machine, which must succeed. */
    async build(...options: string[]): Promise<BazelResult> {
      const result = await bazelBuild(sources, await workspace.folder("machine"), ...options);
      assert.equal(result.status, 0, result.stderr);
      return result;
    },
    /** What the last build left. */
    outputs: () => listFolder(join(sources, "bazel-bin/")),
  };
}

function cacheAt(server: ServerUnderTest, listener = 0): string {
  const { address = "" } = server.listeners[listener] ?? {};
  // As `stillage serve` and the README say it.
  const printed = snippets(
    { address, tls: false, push: true, clientCertificates: false },
    { instances: [""], services: "all" },
  );
  return printed.find(({ client }) => client.startsWith("Bazel"))?.lines[0]?.replace("build ", "") ?? "";
}

function assertHits(result: BazelResult, hits: number): void {
  assert.deepEqual(
    { hits: result.remoteHits, local: result.local },
    { hits, local: actionCount - hits },
    result.stderr,
  );
}

describe("Bazel 4.2.3", { concurrency: 2 }, () => {
  test("a second machine gets every action from the cache, which two threads serve", async () => {
    await using workspace = await createWorkspace();
    await using server = await startServer(await workspace.folder("store"), ["--workers", "2"]);
    const yard = await openYard(workspace);
    assertHits(await yard.build(cacheAt(server)), 0);
    const outputs = await yard.outputs();
    assertHits(await yard.build(cacheAt(server)), actionCount);
    assert.deepEqual(await yard.outputs(), outputs);
    // Without the cache the outputs come out different: equal ones were not made twice.
    await yard.build();
    assert.notDeepEqual(await yard.outputs(), outputs);

    await appendFile(join(yard.sources, "crane.txt"), "lifts 90 t\n");
    assertHits(await yard.build(cacheAt(server)), actionCount - 2);
  });

  test("a build that downloads nothing it does not need", async () => {
    await using workspace = await createWorkspace();
    await using server = await startServer(await workspace.folder("store"));
    const yard = await openYard(workspace);
    await yard.build(cacheAt(server));
    assertHits(await yard.build(cacheAt(server), "--remote_download_minimal"), actionCount);
    await assert.rejects(access(join(yard.sources, "bazel-bin/big.bin")), { code: "ENOENT" });
    // An action that is not in the cache finds its inputs there.
    await appendFile(join(yard.sources, "crane.txt"), "lifts 90 t\n");
    assertHits(await yard.build(cacheAt(server), "--remote_download_minimal"), actionCount - 2);
  });

  test("the HTTP cache, and the one by gRPC, are one", async () => {
    await using workspace = await createWorkspace();
    await using server = await startServer(await workspace.folder("store"), [
      "--instance",
      "",
      "--instance",
      "yards/north",
    ]);
    const yard = await openYard(workspace);
    const byHttp = (instance = "") => `--remote_cache=http://${server.address}${instance}`;
    assertHits(await yard.build(byHttp()), 0);
    const outputs = await yard.outputs();
    assertHits(await yard.build(byHttp()), actionCount);
    assert.deepEqual(await yard.outputs(), outputs);
    assertHits(await yard.build(cacheAt(server)), actionCount);
    await appendFile(join(yard.sources, "crane.txt"), "lifts 90 t\n");
    assertHits(await yard.build(cacheAt(server)), actionCount - 2);
    assertHits(await yard.build(byHttp()), actionCount);
    assertHits(await yard.build(byHttp("/yards/north")), 0);
    assertHits(await yard.build(byHttp("/yards/north")), actionCount);
  });

  test("by HTTP, where only pulling is allowed, builds succeed and store nothing", async () => {
    await using workspace = await createWorkspace();
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    await using server = await startServer(await workspace.folder("store"), listen);
    const yard = await openYard(workspace);
    const [pushing, pulling] = server.listeners.map(({ address }) => `--remote_cache=http://${address}`) as [
      string,
      string,
    ];
    assertHits(await yard.build(pulling), 0);
    assertHits(await yard.build(pushing), 0);
    assertHits(await yard.build(pulling), actionCount);
  });

  test("where only pulling is allowed, builds succeed and store nothing", async () => {
    await using workspace = await createWorkspace();
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    await using server = await startServer(await workspace.folder("store"), listen);
    const yard = await openYard(workspace);
    await yard.build(cacheAt(server, 0));
    await appendFile(join(yard.sources, "crane.txt"), "lifts 90 t\n");
    const reading = [cacheAt(server, 1), "--noremote_upload_local_results"];
    assertHits(await yard.build(...reading), actionCount - 2);
    assertHits(await yard.build(...reading), actionCount - 2);
    // Who does not say so learns it from the capabilities, before anything is built.
    const hopeful = await bazelBuild(yard.sources, await workspace.folder("machine"), cacheAt(server, 1));
    assert.notEqual(hopeful.status, 0);
    assert.match(hopeful.stderr, /not authorized to write local results to the remote cache/);
  });

  test("who may push is known by HTTP Basic or a bearer token; who may not pulls", async () => {
    await using workspace = await createWorkspace();
    const access = await makeAccess(await workspace.folder("access"), [
      { who: "anyone", may: "pull" },
      { who: { token: "ci" }, may: "push" },
    ]);
    const { text: token } = await access.token("ci");
    await using server = await startServer(await workspace.folder("store"), ["--access", access.file]);
    const yard = await openYard(workspace);
    const byHttp = (user = "") => `--remote_cache=http://${user}${server.address}`;
    const bearer = `--remote_header=authorization=Bearer ${token}`;
    assertHits(await yard.build(byHttp()), 0);
    assertHits(await yard.build(byHttp(`ci:${token}@`)), 0);
    assertHits(await yard.build(byHttp()), actionCount);
    await appendFile(join(yard.sources, "crane.txt"), "lifts 90 t\n");
    const reading = [cacheAt(server), "--noremote_upload_local_results"];
    assertHits(await yard.build(...reading), actionCount - 2);
    assertHits(await yard.build(cacheAt(server), bearer), actionCount - 2);
    assertHits(await yard.build(...reading), actionCount);
  });

  test("instances do not share results", async () => {
    await using workspace = await createWorkspace();
    const instances = ["--instance", "yards/north", "--instance", "yards/south"];
    await using server = await startServer(await workspace.folder("store"), instances);
    const yard = await openYard(workspace);
    const at = (name: string) => [cacheAt(server), `--remote_instance_name=${name}`];
    await yard.build(...at("yards/north"));
    assertHits(await yard.build(...at("yards/south")), 0);
    assertHits(await yard.build(...at("yards/north")), actionCount);
  });
});
