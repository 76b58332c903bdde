import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { testBrokenPushes } from "./push/broken.ts";
import { testBuildStream } from "./push/buildstream.ts";
import { converse, documented, openPushSite, push } from "./push/push-site.ts";
import { artifactRef, Repository } from "./push/repository.ts";
import { testRoom } from "./push/room.ts";
import { checkout } from "./support/checkout.ts";
import { runProgram } from "./support/program.ts";

const recordings = join(checkout, "test/fixtures/ostree/push-v1.tar.gz");

describe("BuildStream 1.0's pushes over ssh", { concurrency: 2 }, () => {
  test("the bytes that BuildStream 1.0.0 has sent are taken, and pulled again", async () => {
    await using site = await openPushSite({ setUp: (...places) => documented("keys", ...places) });
    const folder = await site.workspace.folder("recorded");
    execFileSync("tar", ["-xzf", recordings, "-C", folder]);
    const recorded = (name: string): Promise<Buffer> => readFile(join(folder, "push-v1", name));

    const hello = await converse(site.ssh(), await recorded("hello.c2s.bin"));
    assert.deepEqual([hello.status, hello.errors], [0, ""]);
    const said = await recorded("hello.s2c.bin");
    // What the old receiver answered, with another URL.
    assert.ok(hello.output.includes("pull_url") && hello.output.includes(site.pullUrl));
    assert.ok(hello.output.subarray(5, 45).equals(said.subarray(5, 45)));

    const pushed = await converse(site.ssh(), await recorded("push.c2s.bin"));
    assert.deepEqual([pushed.status, pushed.errors], [0, ""]);
    const behindInfo = (await recorded("push.s2c.bin")).subarray((await recorded("hello.s2c.bin")).length);
    assert.ok(pushed.output.subarray(hello.output.length).equals(behindInfo));

    const refs = [artifactRef("hello", "1"), artifactRef("hello", "2")];
    const puller = await Repository.create(site.workspace, "puller");
    assert.deepEqual(await puller.remoteRefs(site.pullUrl), refs);
    await puller.pull(site.pullUrl, ...refs);
    for (const ref of refs) {
      assert.equal(
        await puller.head(`cache:${ref}`),
        "35c52c8d69adda711053dc30c6d962930eb055dae192e821ed87c2757918d32e",
      );
    }
  });

  test("one command for all keys takes them as well, and nothing else is to be had there", async () => {
    await using site = await openPushSite({ setUp: (...places) => documented("one command", ...places) });
    const source = await Repository.create(site.workspace);
    const ref = artifactRef("forced", "1");
    await source.commitNew(1, 0, ref);
    assert.deepEqual((await push(site.ssh(), source.path, [ref])).done, true);
    const [program = "", ...args] = site.ssh().slice(0, 4);
    const { status, stdout } = await runProgram(program, [...args, "ls", "/"], { input: "ls /\n" });
    assert.deepEqual([status, stdout], [1, ""]);
  });

  test("several at once bring thousands of objects, in every form of the protocol", async () => {
    await using site = await openPushSite({ serve: ["--workers", "2"] });
    const source = await Repository.create(site.workspace);
    const refs = ["a", "b", "c", "d"].map((digit) => [artifactRef("many", digit), artifactRef("weak", digit)] as const);
    const commits: string[] = [];
    for (const pair of refs) commits.push(await source.commitNew(650, 3_000_000, ...pair));
    const forms = [[], ["--gnu"], ["--big-endian"], ["--gnu", "--big-endian"]];
    const reports = await Promise.all(refs.map((pair, i) => push(site.ssh(), source.path, pair, forms[i] ?? [])));
    for (const { done, exit, stderr, objects, status } of reports) {
      assert.deepEqual([done, exit, stderr, status], [true, 0, "", { result: true, message: "" }]);
      assert.ok((objects ?? 0) > 650);
    }
    const puller = await Repository.create(site.workspace, "puller");
    await puller.pull(site.pullUrl, ...refs.flat());
    for (const [i, pair] of refs.entries()) {
      for (const ref of pair) assert.equal(await puller.head(`cache:${ref}`), commits[i]);
    }
  });

  test("a rebuild takes the place of what was pushed before, and a pusher that knows better is told so", async () => {
    await using site = await openPushSite();
    const ref = artifactRef("again", "1");
    const [first, second] = [await Repository.create(site.workspace), await Repository.create(site.workspace)];
    const old = await first.commitNew(3, 0, ref);
    const rebuilt = await second.commitNew(3, 0, ref);
    for (const source of [first, second]) {
      const { info, done } = await push(site.ssh(), source.path, [ref]);
      // Clients of 1.0 push nothing under a ref that they are told of.
      assert.deepEqual([info, done], [{ mode: 1, refs: {}, pull_url: site.pullUrl }, true]);
    }
    const puller = await Repository.create(site.workspace, "puller");
    await puller.pull(site.pullUrl, ref);
    assert.equal(await puller.head(`cache:${ref}`), rebuilt);
    const late = await push(site.ssh(), first.path, [ref], ["--old", old]);
    assert.deepEqual([late.done, late.status?.result, late.exit], [undefined, false, 1]);
    assert.match(late.status?.message ?? "", new RegExp(`names ${rebuilt}, and not ${old}`));
  });

  test("who pushes is known by his key, and may do what the access file says", async () => {
    const rules = "rights:\n- who: { ssh: ci-* }\n  may: push\n- who: anyone\n  may: pull\n";
    await using files = await openFiles(rules);
    await using site = await openPushSite({
      serve: ["--access", files.path, "--instance", "", "--instance", "team/a"],
      keys: { ci: "--as ci-1 --instance team/a", other: "--as visitor", nobody: "" },
      instance: "team/a",
    });
    const source = await Repository.create(site.workspace);
    const ref = artifactRef("rights", "1");
    const commit = await source.commitNew(2, 0, ref);
    for (const [key, who] of [
      ["other", /^ssh visitor may not push/],
      ["nobody", /may not push/],
    ] as const) {
      const { status, done, exit } = await push(site.ssh(key), source.path, [ref]);
      assert.deepEqual([status?.result, done, exit], [false, undefined, 1]);
      assert.match(status?.message ?? "", who);
      // It is a cache for pulls all the same.
      assert.equal((await push(site.ssh(key), source.path, [])).exit, 0);
    }
    assert.equal((await push(site.ssh("ci"), source.path, [ref])).done, true);
    const puller = await Repository.create(site.workspace, "puller");
    await puller.pull(site.pullUrl, ref);
    assert.equal(await puller.head(`cache:${ref}`), commit);
    const answer = await fetch(`http://${site.server.address}/ostree/refs`, {
      method: "POST",
      headers: { "stillage-for": "ci-1" },
      body: JSON.stringify({ refs: { [ref]: { to: commit } } }),
    });
    assert.equal(answer.status, 403, "whoever comes by the network says for nobody who he is");
  });

  test("whoever forwards a connection to the server's socket is nobody there", async () => {
    await using site = await openPushSite({
      // As careless as authorized_keys can be.
      setUp: async () => ({ keys: [{ name: "careless", options: "restrict,port-forwarding" }] }),
    });
    const folder = await site.workspace.folder("forwarded");
    const [socket, control] = [join(folder, "here"), join(folder, "control")];
    const ssh = ["-F", site.sshd.clientConfig, "-S", control];
    const forward = [
      "-M",
      "-N",
      "-f",
      "-o",
      "ExitOnForwardFailure=yes",
      "-L",
      `${socket}:${site.store}/receive.socket`,
    ];
    assert.equal((await runProgram("ssh", [...ssh, ...forward, "careless"])).status, 0);
    try {
      const curl = ["-sS", "--unix-socket", socket, "-H", "stillage-for: admin", "http://x/ostree/refs"];
      const { stdout, stderr } = await runProgram("curl", [...curl, "-w", "%{http_code}", "-d", '{"refs": {}}']);
      assert.match(stdout, /this socket is for programs of the server's own user(.|\n)*401$/, stderr);
    } finally {
      await runProgram("ssh", [...ssh, "-O", "exit", "careless"]);
    }
  });

  test("without a server a client does without the cache, and a push is told why", async () => {
    await using site = await openPushSite();
    const source = await Repository.create(site.workspace);
    const ref = artifactRef("gone", "1");
    await source.commitNew(1, 0, ref);
    assert.deepEqual((await readdir(site.store)).includes("receive.socket"), true);
    await site.server.stop();
    assert.deepEqual((await readdir(site.store)).includes("receive.socket"), false);
    const hello = await push(site.ssh(), source.path, []);
    assert.equal(hello.exit, 1);
    assert.match(hello.stderr, /no server is running on the store in /);
    const { status, exit } = await push(site.ssh(), source.path, [ref]);
    assert.deepEqual([status?.result, exit], [false, 1]);
    assert.match(status?.message ?? "", /no server is running on the store in .*; start `stillage serve` there first$/);
  });

  testBrokenPushes();
  testRoom();
  testBuildStream();
});

/** A file with rules, outside the site that is to have it from its start. */
async function openFiles(text: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const { stdout } = await runProgram("mktemp", ["-t", "stillage-access-XXXXXX.yaml"]);
  const path = stdout.trim();
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: async () => void (await runProgram("rm", ["-f", path])) };
}
