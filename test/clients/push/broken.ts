import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fsck } from "../support/store.ts";
import { converse, openPushSite, push, receiver } from "./push-site.ts";
import { artifactRef, Repository } from "./repository.ts";

/** Pushes that must not be taken: nothing of them is seen afterwards. */
export function testBrokenPushes(): void {
  const faults: readonly (readonly [fault: string, said: RegExp])[] = [
    ["missing-file", /cannot name the commit \w+: not all that it needs is there/],
    ["missing-tree", /cannot name the commit \w+: not all that it needs is there/],
    ["swapped-files", /the object \w+\.filez cannot be taken/],
    ["spoiled-tree", /the object \w+\.dirtree cannot be taken/],
    ["trailing-bytes", /the object \w+\.filez cannot be taken/],
    ["bomb", /the object abab\w+\.filez cannot be taken/],
    ["honest-bomb", /the object abab\w+\.filez cannot be taken/],
    ["loose-file", /the object 1212\w+\.filez cannot be taken/],
    ["name:../../etc/passwd", /"\.\.\/\.\.\/etc\/passwd" is not the name of an OSTree object/],
    [`name:${"ab".repeat(32)}.exe`, /is not the name of an OSTree object/],
    ["symlink", /is not a file in the archive/],
    ["unfinished", /it breaks off/],
  ];

  test("objects that are broken, foreign or missing change nothing", async () => {
    await using site = await openPushSite();
    const source = await Repository.create(site.workspace);
    const puller = await Repository.create(site.workspace, "puller");
    const command = receiver(site.pullUrl, site.store).split(" ");
    for (const [i, [fault, said]] of faults.entries()) {
      const ref = artifactRef(`broken-${i}`, "1");
      await source.commitNew(4, 0, ref);
      const { done, exit, stderr, status } = await push(command, source.path, [ref], ["--fault", fault]);
      assert.deepEqual([done ?? false, exit, status?.result], [false, 1, true], fault);
      assert.match(stderr, said, fault);
    }
    assert.deepEqual(await puller.remoteRefs(site.pullUrl), []);
    // What came whole is here, and the same push without its fault is taken.
    const refs = faults.map((_, i) => artifactRef(`broken-${i}`, "1"));
    assert.equal((await push(site.ssh(), source.path, refs)).done, true);
    await puller.pull(site.pullUrl, ...refs);
    await site.server.stop();
    await fsck(site.store);
  });

  test("a connection that breaks anywhere changes nothing", async () => {
    await using site = await openPushSite();
    const source = await Repository.create(site.workspace);
    const ref = artifactRef("cut", "1");
    await source.commitNew(20, 2_000_000, ref);
    for (const cut of [1, 512, 4000, 40_000, 1_500_000]) {
      const { broken, exit } = await push(site.ssh(), source.path, [ref], ["--cut", String(cut)]);
      assert.deepEqual([broken, exit], ["Cut", -9], String(cut));
    }
    const puller = await Repository.create(site.workspace, "puller");
    assert.deepEqual(await puller.remoteRefs(site.pullUrl), []);
    assert.equal((await push(site.ssh(), source.path, [ref])).done, true);
    await puller.pull(site.pullUrl, ref);
  });

  test("what speaks another protocol is told so in a sentence", async () => {
    await using site = await openPushSite();
    for (const [bytes, said] of [
      ["GET / HTTP/1.1\r\n\r\n", /^bst-artifact-receive: what came is no message of BuildStream's push protocol\n/],
      ["l\0\0\0\0", /^bst-artifact-receive: the pusher speaks version 0 of the push protocol, and this is version 1\n/],
      ["l\u0001\u0009\0\0", /^bst-artifact-receive: no message has the type 9\n$/],
      ["l\u0001\u0002\0\0", /^bst-artifact-receive: the pusher says putobjects where info is due\n$/],
    ] as const) {
      const { status, output, errors } = await converse(site.ssh(), Buffer.from(bytes, "latin1"));
      assert.deepEqual([status, output.length], [1, 0]);
      assert.match(errors, said);
    }
    assert.match(await readFile(site.sshd.clientConfig, "utf8"), /BatchMode/);
  });
}
