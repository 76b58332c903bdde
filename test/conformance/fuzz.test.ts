import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { Channel } from "../../src/rpc/client/channel.ts";
import { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { createWorkspace, type Workspace } from "../clients/support/workspace.ts";
import { grpcConnection, http1Connection, sendBytes } from "./fuzz/connection.ts";
import { mutation } from "./fuzz/mutation.ts";
import { content, goodCalls } from "./fuzz/requests.ts";
import { newBlob, upload } from "./support/blobs.ts";
import { type Endpoint, openEndpoint } from "./support/endpoint.ts";

// Broken requests over the wire, the same ones at each run. A server answers each with a status that blames the client,
// or takes it for another good request; it never fails inside, never hangs and never ends.

/** STILLAGE_FUZZ_SEED and STILLAGE_FUZZ_RUNS are for whoever has more time. */
const seed = Number(process.env.STILLAGE_FUZZ_SEED ?? 1);
const numRuns = Number(process.env.STILLAGE_FUZZ_RUNS ?? 1000);
const answerMs = 10_000;

/** What a broken request must never come to. */
const bad = new Set(["INTERNAL", "UNKNOWN", "UNAVAILABLE", "DATA_LOSS", "DEADLINE_EXCEEDED", "CANCELLED"]);

let workspace: Workspace;
let server: ServerUnderTest;
let endpoint: Endpoint;

before(async () => {
  workspace = await createWorkspace();
  server = await startServer(await workspace.folder("store"), ["--instance", "main", "--instance", ""]);
  endpoint = openEndpoint(`grpc://${server.address}`);
  await upload(endpoint, "main", content);
});

after(async () => {
  endpoint.channel.destroy();
  await server.stop();
  await workspace[Symbol.asyncDispose]();
});

async function status(channel: Channel, method: string, messages: readonly Uint8Array[]): Promise<string> {
  const call = channel.open(method, { timeoutMs: answerMs });
  try {
    for (const message of messages) await call.send(message);
    call.halfClose();
    while ((await call.receive()) !== undefined);
    return "OK";
  } catch (error) {
    if (error instanceof RpcError) return `${error.status}: ${error.message}`;
    throw error;
  }
}

/** Fails unless the server does what it is there for, and has not found fault with itself. */
async function assertWell(): Promise<void> {
  const blob = newBlob();
  await upload(endpoint, "main", [blob]);
  assert.equal((await endpoint.health.check({})).status, 1);
  assert.doesNotMatch(server.log(), /"level":"(error|fatal)"/);
}

for (const { name, method, messages, answer } of goodCalls) {
  test(`${name}: broken messages`, async () => {
    // What broken writes did to what the good ones brought is done again.
    for (const each of goodCalls) await status(endpoint.channel, each.method, each.messages);
    const good = await status(endpoint.channel, method, messages);
    assert.equal(good.split(":")[0], answer, "the good call that is broken below");
    const change = fc.tuple(fc.nat({ max: messages.length - 1 }), mutation);
    await fc.assert(
      fc.asyncProperty(change, async ([which, mutate]) => {
        const sent = messages.map((message, i) => (i === which ? mutate(message) : message));
        const broken = await status(endpoint.channel, method, sent);
        const hex = sent.map((each) => Buffer.from(each).toString("hex")).join(" ");
        assert(!bad.has(broken.split(":")[0] ?? ""), `${broken} for ${hex}`);
      }),
      { seed, numRuns },
    );
    await assertWell();
  });
}

const [method, message] = [
  "build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs",
  new Uint8Array(),
];

for (const [name, bytes] of [
  ["HTTP/2", grpcConnection(method, message)],
  ["HTTP/1.1", http1Connection],
] as const) {
  test(`${name}: broken connections`, async () => {
    await sendBytes(server.address, bytes, answerMs);
    await fc.assert(
      fc.asyncProperty(mutation, (mutate) => sendBytes(server.address, mutate(bytes), answerMs)),
      { seed, numRuns },
    );
    await assertWell();
  });
}
