import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "../../src/base/digest.ts";
import { sha1, sha256, sha384, sha512 } from "../../src/base/digest-function.ts";
import { asStillageError } from "../../src/base/errors.ts";
import { messageOf } from "../../src/cache/tree.fixture.ts";
import { DirectorySchema } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { recognize } from "../../src/import/old-cache.ts";
import { openEndpoint } from "../conformance/support/endpoint.ts";
import { programFile } from "../support/program-file.ts";
import { checkoutListing as checkoutListing1 } from "./bst1/inspect.ts";
import { assertAllPulled, assertQueue, checkoutListing, removeUpstream } from "./bst2/inspect.ts";
import { actionCount, bazelBuild, writeWorkspace } from "./support/bazel.ts";
import { checkout, clientsFolder } from "./support/checkout.ts";
import { listFolder } from "./support/folder-listing.ts";
import { type Generation, startOldServer } from "./support/old-server.ts";
import { contentOf, oddTree, ostree, realFsck } from "./support/ostree.ts";
import { runOk, runProgram } from "./support/program.ts";
import { elementCount } from "./support/project.ts";
import { artifactsAt, bothAt, openSite, type Site } from "./support/site.ts";
import { startServer } from "./support/stillage.ts";
import { createWorkspace } from "./support/workspace.ts";

interface Counts {
  readonly found: number;
  readonly taken: number;
  readonly there: number;
  readonly incomplete: number;
}

/** What `stillage store import --json` says. */
interface Imported {
  readonly layouts: readonly string[];
  readonly names: Readonly<Record<string, Counts>>;
  readonly blobs: { readonly files: number; readonly taken: number; readonly there: number; readonly linked: number };
}

async function importInto(store: string, old: string, ...flags: string[]): Promise<Imported> {
  const words = [programFile("stillage"), "store", "import", old, "--store", store, "--json", ...flags];
  const { status, stdout, stderr } = await runProgram(process.execPath, words, { cwd: checkout });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Imported;
}

/** Imports twice, the second time without anything to do, removes the old directory, and serves what there is. */
async function takeOver(site: Site, old: string, layout: string, kinds: readonly string[], ...flags: string[]) {
  const store = join(await site.workspace.folder("new"), "store");
  const looked = await importInto(store, old, "--dry-run", ...flags);
  assert.equal(existsSync(store), false);
  const first = await importInto(store, old, ...flags);
  assert.deepEqual([first.layouts, Object.keys(first.names)], [[layout], kinds]);
  for (const { found, taken } of Object.values(first.names)) assert.ok(found > 0 && taken === found);
  assert.equal(first.blobs.taken, first.blobs.files);
  assert.deepEqual([looked.names, looked.blobs.taken], [first.names, first.blobs.taken]);
  const second = await importInto(store, old, ...flags);
  for (const { found, there } of Object.values(second.names)) assert.equal(there, found);
  assert.equal(second.blobs.there, first.blobs.files);
  await rm(old, { recursive: true });
  return { server: await site.serve([], store), first };
}

function atHand(context: TestContext, version: string): boolean {
  if (existsSync(join(clientsFolder, `bst-${version}/bin/bst`))) return true;
  context.skip(`BuildStream ${version} needs a Python 3.8`);
  return false;
}

function hintOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return asStillageError(error).hint ?? "";
  }
  return "";
}

describe("stillage store import", { concurrency: 2 }, () => {
  for (const flags of [[], ["--hard-link"]]) {
    test(["what BuildStream 1.6.8's server had, its clients pull", ...flags].join(" "), async () => {
      await using site = await openSite("1.6.8");
      const folder = join(await site.workspace.folder("old"), "cache");
      await using old = await startOldServer("1", folder);
      const builder = await site.machine("builder", artifactsAt(old, true));
      assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
      await old.stop();
      await removeUpstream(site);
      const { server, first } = await takeOver(site, folder, "bst1", ["references"], ...flags);
      assert.equal(first.blobs.linked > 0, flags.length > 0);
      const puller = await site.machine("puller", artifactsAt(server, false));
      assertAllPulled(await puller.ok(site.project, "build", "--all", "all.bst"));
      assert.deepEqual(await checkoutListing1(puller, site), await checkoutListing1(builder, site));
    });
  }

  test("what BuildStream 1.93.4's server had, its clients pull, artifacts and sources", async (context) => {
    if (!atHand(context, "1.93.4.dev0")) return;
    await using site = await openSite("1.93.4.dev0");
    const folder = join(await site.workspace.folder("old"), "cache");
    await using old = await startOldServer("1.9", folder);
    const elements = ["base.bst", "data/tree.bst", "data/big.bst"];
    const count = 4;
    const builder = await site.machine("builder", bothAt(old, true));
    const built = await builder.ok(site.project, "build", ...elements);
    assertQueue(built, "Push", "processed", count);
    assertQueue(built, "Src-push", "processed", count - 1);
    await old.stop();
    await removeUpstream(site);
    const { server } = await takeOver(site, folder, "bst1.9", ["artifacts", "sources"]);
    const puller = await site.machine("puller", bothAt(server, false));
    const pulled = await puller.ok(site.project, "build", ...elements);
    assertQueue(pulled, "Pull", "processed", count);
    assertQueue(pulled, "Build", "processed", 0);
    const taker = await site.machine("taker", { sources: bothAt(server, false).sources ?? [] });
    await taker.ok(site.project, "source", "fetch", ...elements);
  });

  for (const [generation, whose] of [
    ["2", "BuildStream 2.8.1's reference server"],
    ["casd", "buildbox-casd"],
  ] as const satisfies readonly (readonly [Generation, string])[]) {
    test(`what ${whose} had, BuildStream 2.8.1 pulls, artifacts and sources`, async () => {
      await using site = await openSite("2.8.1");
      const folder = join(await site.workspace.folder("old"), "cache");
      await using old = await startOldServer(generation, folder);
      const builder = await site.machine("builder", bothAt(old, true));
      assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
      await old.stop();
      await removeUpstream(site);
      const { server } = await takeOver(site, folder, "casd", ["assets"]);
      const puller = await site.machine("puller", bothAt(server, false));
      assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
      assert.deepEqual(await checkoutListing(puller, site), await checkoutListing(builder, site));
      const taker = await site.machine("taker", { sources: bothAt(server, false).sources ?? [] });
      await taker.ok(site.project, "source", "fetch", "--deps", "all", "all.bst");
      // The next build pushes what it makes into the same cache.
      const next = await site.machine("next", bothAt(server, true));
      assertQueue(await next.ok(site.project, "build", "all.bst"), "Push", "failed", 0);
    });
  }

  test("what Bazel had in buildbox-casd 1.2, it finds: action results and their outputs", async () => {
    await using workspace = await createWorkspace();
    const sources = join(workspace.path, "yard");
    await writeWorkspace(sources);
    const folder = join(await workspace.folder("old"), "cache");
    await using old = await startOldServer("casd 1.2", folder);
    const build = async (address: string) =>
      bazelBuild(sources, await workspace.folder("machine"), `--remote_cache=grpc://${address}`);
    const built = await build(old.address);
    assert.equal(built.local, actionCount, built.stderr);
    const outputs = await listFolder(join(sources, "bazel-bin/"));
    await old.stop();
    const store = join(await workspace.folder("new"), "store");
    const { names } = await importInto(store, folder);
    assert.deepEqual(names.actionResults?.taken, actionCount);
    await using server = await startServer(store);
    const again = await build(server.address);
    assert.equal(again.remoteHits, actionCount, again.stderr);
    assert.deepEqual(await listFolder(join(sources, "bazel-bin/")), outputs);
  });

  test("of an OSTree repository all refs, which the real ostree made and pulls", async () => {
    await using site = await openSite("2.8.1");
    const { workspace } = site;
    const tree = await workspace.folder("tree");
    const unusable = await workspace.folder("bare-user");
    await oddTree(tree);
    await ostree(unusable, "init", "--mode=bare-user");
    const refs = ["yard/base/aaaa", "yard/app/bbbb"];
    for (const [i, ref] of refs.entries()) {
      await writeFile(join(tree, "changes"), `${i}`);
      const about = ["--fsync=false", "--subject=", "--add-detached-metadata-string=note=seen"];
      await ostree(unusable, "commit", ...about, `--branch=${ref}`, `--tree=dir=${tree}`);
    }
    // What is said of a repository of another mode helps.
    const [, remedy = "false"] = /make one of mode archive of it: (.+)$/.exec(hintOf(() => recognize(unusable))) ?? [];
    const folder = join(await workspace.folder("old"), "repository");
    await runOk("sh", ["-c", remedy.replaceAll("NEW", folder)]);
    const contents = await Promise.all(refs.map((ref) => contentOf(folder, ref)));
    const { server, first } = await takeOver(site, folder, "ostree", ["ostreeRefs"], "--hard-link");
    assert.equal(first.names.ostreeRefs?.taken, refs.length);
    const pulled = await workspace.folder("pulled");
    await ostree(pulled, "init", "--mode=archive");
    await ostree(pulled, "remote", "add", "--no-gpg-verify", "cache", `http://${server.address}/ostree`);
    await ostree(pulled, "pull", "--mirror", "cache");
    await realFsck(pulled);
    assert.deepEqual(await Promise.all(refs.map((ref) => contentOf(pulled, ref))), contents);
    assert.match(await ostree(pulled, "show", "--print-detached-metadata-key=note", refs[0] as string), /seen/);
  });

  for (const fn of [sha256, sha1, sha384, sha512]) {
    test(`what buildbox-casd 1.4 had by ${fn.name} is there: assets with qualifiers, trees, action results`, async () => {
      await using workspace = await createWorkspace();
      const folder = join(await workspace.folder("old"), "cache");
      await using old = await startOldServer("casd", folder, [`--digest-function=${fn.name.toUpperCase()}`]);
      const digest = (data: Uint8Array) => messageOf(digestOf(fn, data));
      const blobs = ["small", "x".repeat(3_000_000)].map((text) => Buffer.from(text));
      const [small = Buffer.of(), large = Buffer.of()] = blobs;
      const files = [
        { name: "large", digest: digest(large) },
        { name: "small", digest: digest(small) },
      ];
      const directory = toBinary(DirectorySchema, create(DirectorySchema, { files }));
      const requests = [...blobs, directory].map((data) => ({ digest: digest(data), data }));
      const qualifiers = [{ name: "resource_type", value: "file" }];
      const actionDigest = digest(Buffer.from("an action"));
      const outputs = [{ path: "out", digest: digest(large), isExecutable: true }];
      {
        const there = openEndpoint(`http://${old.address}`);
        await there.cas.batchUpdateBlobs({ requests });
        await there.actionCache.updateActionResult({ actionDigest, actionResult: { outputFiles: outputs } });
        await there.push.pushBlob({ uris: ["urn:a", "urn:b"], qualifiers, blobDigest: digest(small) });
        await there.push.pushDirectory({ uris: ["urn:a"], rootDirectoryDigest: digest(directory) });
        await there.push.pushBlob({ uris: ["urn:hole"], blobDigest: digest(Buffer.from("never uploaded")) });
        await there.channel.close();
      }
      await old.stop();
      const store = join(await workspace.folder("new"), "store");
      const { names } = await importInto(store, folder, "--instance", "team/os");
      assert.deepEqual([names.assets?.found, names.assets?.taken, names.assets?.incomplete], [4, 3, 1]);
      await using server = await startServer(store, ["--instance", "team/os"]);
      const here = openEndpoint(`http://${server.address}`);
      const instanceName = "team/os";
      const asset = await here.fetch.fetchBlob({ instanceName, uris: ["urn:b"], qualifiers });
      assert.deepEqual(asset.blobDigest, digest(small));
      const tree = await here.fetch.fetchDirectory({ instanceName, uris: ["urn:a"] });
      assert.deepEqual(tree.rootDirectoryDigest, digest(directory));
      const result = await here.actionCache.getActionResult({ instanceName, actionDigest });
      assert.deepEqual(result.outputFiles[0]?.digest, digest(large));
      await assert.rejects(here.fetch.fetchBlob({ instanceName, uris: ["urn:hole"] }), /no complete blob/);
      await here.channel.close();
    });
  }
});
