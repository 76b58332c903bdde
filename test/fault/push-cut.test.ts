import assert from "node:assert/strict";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { commitMembers, type PushedCommit, tarOf } from "../../src/cache/push.fixture.ts";
import { encodePushMessage } from "../../src/ostree/push-message.ts";
import { filesOfTar } from "../../src/ostree/vectors.fixture.ts";
import { artifactReceive } from "../../src/receive/artifact-receive.ts";
import { type ServerUnderTest, startServer } from "../clients/support/stillage.ts";
import { fsck } from "../clients/support/store.ts";
import { temporaryDirectory } from "./store-blobs.ts";

interface Outcome {
  readonly status: number;
  /** Whether the last that the pusher hears is that everything is done. */
  readonly done: boolean;
  readonly errors: string;
}

const doneMessage = Buffer.from(encodePushMessage({ type: "done", args: [] }));

/** A session whose pusher sends these bytes and is gone then. */
async function receive(store: string, input: AsyncIterable<Uint8Array>): Promise<Outcome> {
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  const into = (pieces: Buffer[]): Writable =>
    new Writable({
      write: (piece: Buffer, _, taken) => {
        pieces.push(piece);
        taken();
      },
    });
  const options = {
    pullUrl: "http://cache.example/ostree",
    server: { socket: join(store, "receive.socket"), store },
    instance: "",
    as: undefined,
    verbosity: 0,
  } as const;
  const status = await artifactReceive(options, { input, output: into(output), errors: into(errors) });
  const done = Buffer.concat(output).subarray(-5).equals(doneMessage);
  return { status, done, errors: Buffer.concat(errors).toString() };
}

async function* bytesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function statusOf({ address }: ServerUnderTest, path: string): Promise<number> {
  const response = await fetch(`http://${address}/ostree/${path}`);
  await response.arrayBuffer();
  return response.status;
}

/** What a pusher of one artifact sends. */
function pushOf({ commit, members }: PushedCommit, ref: string): Uint8Array[] {
  return [
    encodePushMessage({
      type: "info",
      args: [
        ["mode", { type: "i", value: 1 }],
        ["refs", { type: "a{ss}", value: [] }],
      ],
    }),
    encodePushMessage({ type: "update", args: [[ref, { type: "(ss)", value: ["0".repeat(64), commit] }]] }),
    encodePushMessage({ type: "putobjects", args: [] }),
    tarOf(members),
    doneMessage,
  ];
}

describe("a push over ssh", () => {
  it("that is cut anywhere changes nothing, and the whole one is taken", async () => {
    await using directory = await temporaryDirectory();
    await using server = await startServer(directory.path);
    const recorded = filesOfTar("push-v1.tar.gz").get("push.c2s.bin") as Uint8Array;
    const refs = ["1", "2"].map((key) => `refs/heads/demo/hello/${key.repeat(64)}`);
    // Around each message, and at every block of the archive, on its edge and within.
    const edges = [0, 5, 38, 43, 488, 493, 493 + 17_408, 493 + 20_480, recorded.length];
    const cuts = new Set(edges.flatMap((edge) => [edge - 1, edge, edge + 1]));
    for (let at = 493; at < recorded.length; at += 512) cuts.add(at);
    for (const cut of cuts) {
      if (cut < 0 || cut >= recorded.length) continue;
      const { status, done, errors } = await receive(directory.path, bytesOf(recorded.subarray(0, cut)));
      assert.deepEqual([status, done], [1, false], String(cut));
      assert.match(errors, /^bst-artifact-receive: [^\n]+\n$/, String(cut));
      for (const ref of refs) assert.equal(await statusOf(server, ref), 404, String(cut));
    }
    const whole = await receive(directory.path, bytesOf(recorded));
    assert.deepEqual(whole, { status: 0, done: true, errors: "" });
    for (const ref of refs) assert.equal(await statusOf(server, ref), 200);
  });

  it("is taken as a whole or not at all by a server that is killed", async () => {
    await using directory = await temporaryDirectory();
    const taken = new Map<string, PushedCommit>();
    const sent = new Map<string, PushedCommit>();
    for (let round = 0; round < 2; round++) {
      const server = await startServer(directory.path);
      let killed = false;
      const pusher = async (lane: number): Promise<void> => {
        for (let i = 0; !killed; i++) {
          const key = `${round}${lane}${i}`.padStart(64, "0");
          const large = "x".repeat(lane === 0 ? 2_000_000 : 10);
          const pushed = await commitMembers({ a: key, large: `${key}${large}`, shared: "s" });
          sent.set(`demo/killed/${key}`, pushed);
          const outcome = await receive(directory.path, bytesOf(...pushOf(pushed, `demo/killed/${key}`)));
          if (outcome.done) taken.set(`demo/killed/${key}`, pushed);
          else if (killed) return;
          else assert.match(outcome.errors, /server/, "only its end may keep it from that");
          if (taken.size >= 8 * (round + 1) && !killed) {
            killed = true;
            process.kill(server.pid, "SIGKILL");
          }
        }
      };
      await Promise.all([0, 1, 2, 3].map(pusher));
      await server.stop();
    }
    await using server = await startServer(directory.path);
    for (const [ref, { commit, members }] of sent) {
      const response = await fetch(`http://${server.address}/ostree/refs/heads/${ref}`);
      const head = (await response.text()).trim();
      assert.ok(!taken.has(ref) || response.status === 200, `${ref} was acknowledged`);
      if (response.status === 404) continue;
      assert.equal(head, commit);
      for (const name of Object.keys(members)) {
        assert.equal(await statusOf(server, `objects/${name.slice(0, 2)}/${name.slice(2)}`), 200, name);
      }
    }
    await server.stop();
    await fsck(directory.path);
  });
});
