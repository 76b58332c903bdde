import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ContentAddressableStorage } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../../src/rpc/client/channel.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { newFolder } from "./support/folder.ts";
import { type RunningProgram, run, serve } from "./support/programs.ts";

const flags = ["--port", "0", "--log-level", "info"];
const pull = [...flags, "repo"];
const push = [...flags, "--enable-push", "repo"];

/** Uploads a blob and gives its status code. */
async function put(server: RunningProgram, text: string): Promise<number> {
  using channel = channelTo(server);
  const data = Buffer.from(text);
  const { responses } = await channel.cas.batchUpdateBlobs({ requests: [{ digest: digestOf(text), data }] });
  return responses[0]?.status?.code ?? 0;
}

async function has(server: RunningProgram, text: string): Promise<boolean> {
  using channel = channelTo(server);
  const { missingBlobDigests } = await channel.cas.findMissingBlobs({ blobDigests: [digestOf(text)] });
  return missingBlobDigests.length === 0;
}

function channelTo(server: RunningProgram) {
  const port = server.listeners[0]?.address.split(":").at(-1);
  const channel = connect(`http://127.0.0.1:${port}`);
  return { cas: client(channel, ContentAddressableStorage), [Symbol.dispose]: () => channel.destroy() };
}

function digestOf(text: string): { hash: string; sizeBytes: bigint } {
  return { hash: createHash("sha256").update(text).digest("hex"), sizeBytes: BigInt(text.length) };
}

test("a pulling and a pushing server share a directory, whichever came first", async (t) => {
  for (const pushFirst of [false, true]) {
    await t.test(pushFirst ? "the pushing one" : "the pulling one", async () => {
      await using folder = await newFolder();
      const cwd = folder.path;
      await using first = await serve("bst-artifact-server", pushFirst ? push : pull, { cwd });
      await using second = await serve("bst-artifact-server", pushFirst ? pull : push, { cwd });
      const [pulling, pushing] = pushFirst ? [second, first] : [first, second];
      assert.equal(pulling.listeners[0]?.push, false);
      assert.equal(pushing.listeners[0]?.push, true);
      assert.equal(await put(pushing, "shared"), 0);
      assert.equal(await has(pulling, "shared"), true);
      await assert.rejects(put(pulling, "refused"), /pulls only/);
      for (const name of ["pull.socket", "push.socket"]) {
        assert.equal((await stat(join(cwd, "repo", name))).mode & 0o777, 0o600);
      }
      for (const server of [second, first]) {
        server.signal("SIGTERM");
        assert.equal((await server.ended()).status, 0);
      }
    });
  }
});

test("when the one that has the store ends, the other takes its place, and the first may come back", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using first = await serve("bst-artifact-server", pull, { cwd });
  await using second = await serve("bst-artifact-server", push, { cwd });
  assert.equal(await put(second, "before"), 0);
  first.signal("SIGKILL");
  await first.ended();
  // The connection on which the loss is noticed breaks, as one does when a server is started anew.
  await assert.rejects(has(second, "before"));
  await second.logged("serving again");
  assert.equal(await has(second, "before"), true);
  await using third = await serve("bst-artifact-server", pull, { cwd });
  assert.equal(await has(third, "before"), true);
});

test("several that start at once all serve", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const servers = await Promise.all([pull, push, pull].map((args) => serve("bst-artifact-server", args, { cwd })));
  try {
    const pushing = servers.find(({ listeners }) => listeners[0]?.push === true);
    if (pushing === undefined) return assert.fail("none takes pushes");
    assert.equal(await put(pushing, "one"), 0);
    for (const server of servers) assert.equal(await has(server, "one"), true);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
});

test("`stillage serve` does not share", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using first = await serve("bst-artifact-server", push, { cwd });
  const second = await run("stillage", ["serve", "repo", "--listen", "127.0.0.1:0"], { cwd });
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another process is using the store/);
  assert.equal(await put(first, "x"), 0);
});
