import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha1, sha256 } from "../base/digest-function.ts";
import { type ActionResult, ActionResultSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { MemoryRefStore } from "../store/memory/memory-ref-store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { ActionCache, maxInlinedBytes } from "./action-cache.ts";
import { type Inline, inlineNothing } from "./action-inline.ts";
import { Closure } from "./closure.ts";
import { messageOf, putBlob, putDirectory, putTree } from "./tree.fixture.ts";

const action = digestOf(sha256, Buffer.from("action"));
const blob = (text: string): Digest => digestOf(sha256, Buffer.from(text));
type Result = MessageInitShape<typeof ActionResultSchema>;
const encode = (result: Result): Uint8Array => toBinary(ActionResultSchema, create(ActionResultSchema, result));

function setUp() {
  const clock = (): number => 1000;
  const blobs = new MemoryStore();
  const refs = new MemoryRefStore(clock);
  const closure = new Closure(blobs, () => blobs.removals());
  const actions = new ActionCache({ instance: "", refs, blobs, closure, clock });
  const get = async (inline: Partial<Inline> = {}): Promise<ActionResult | undefined> => {
    const found = await actions.get(action, { ...inlineNothing, ...inline });
    return found && fromBinary(ActionResultSchema, found);
  };
  return { blobs, refs, actions, get };
}

describe("ActionCache", () => {
  it("gives a result back as the bytes that came, and overwrites it", async () => {
    const { blobs, actions } = setUp();
    await putBlob(blobs, "out");
    // A field that nobody knows yet stays.
    const file = { path: "out", digest: messageOf(blob("out")) };
    const encoded = Buffer.concat([encode({ exitCode: 3, outputFiles: [file] }), Buffer.from([0x98, 0x06, 0x01])]);
    assert.equal(await actions.get(action, inlineNothing), undefined);
    assert.deepEqual(Buffer.from(await actions.update(action, encoded)), encoded);
    assert.deepEqual(Buffer.from((await actions.get(action, inlineNothing)) ?? []), encoded);
    await actions.update(action, encode({ exitCode: 4 }));
    assert.deepEqual(await actions.get(action, inlineNothing), encode({ exitCode: 4 }));
  });

  it("keeps actions apart by function and hash", async () => {
    const { actions } = setUp();
    await actions.update(action, encode({ exitCode: 1 }));
    const others = [digestOf(sha1, Buffer.from("action")), digestOf(sha256, Buffer.from("other"))];
    for (const other of others) assert.equal(await actions.get(other, inlineNothing), undefined);
  });

  const outputs: [what: string, result: (blobs: MemoryStore) => Promise<Result>][] = [
    ["an output file", async () => ({ outputFiles: [{ path: "o", digest: messageOf(blob("content")) }] })],
    [
      "a file of a tree",
      async (blobs) => ({
        outputDirectories: [{ path: "d", treeDigest: messageOf(await putTree(blobs, { a: { f: "content" } })) }],
      }),
    ],
    [
      "a file below a root directory",
      async (blobs) => ({
        outputDirectories: [
          { path: "d", rootDirectoryDigest: messageOf(await putDirectory(blobs, { a: { f: "content" } })) },
        ],
      }),
    ],
    ["stdout", async () => ({ stdoutDigest: messageOf(blob("content")) })],
    ["stderr", async () => ({ stderrDigest: messageOf(blob("content")) })],
  ];
  for (const [what, make] of outputs) {
    it(`serves a result only while ${what} is there`, async () => {
      const { blobs, actions, get } = setUp();
      const result = await make(blobs);
      await blobs.remove(blob("content"));
      await actions.update(action, encode({ ...result, exitCode: 1 } as Result));
      assert.equal(await get(), undefined);
      await putBlob(blobs, "content");
      assert.equal((await get())?.exitCode, 1);
      await blobs.remove(blob("content"));
      assert.equal(await get(), undefined);
    });
  }

  it("wants both where an output directory names a tree and a root directory", async () => {
    const { blobs, actions, get } = setUp();
    const treeDigest = messageOf(await putTree(blobs, { f: "content" }));
    const root = await putDirectory(blobs, { f: "content" });
    const rootDirectoryDigest = messageOf(root);
    await actions.update(action, encode({ outputDirectories: [{ path: "d", treeDigest, rootDirectoryDigest }] }));
    assert.ok(await get());
    await blobs.remove(root);
    assert.equal(await get(), undefined);
  });

  it("does not want stdout and stderr as blobs where the result holds them", async () => {
    const { actions, get } = setUp();
    const raw = Buffer.from("said");
    const digest = messageOf(blob("said"));
    await actions.update(
      action,
      encode({ stdoutRaw: raw, stdoutDigest: digest, stderrRaw: raw, stderrDigest: digest }),
    );
    assert.deepEqual(Buffer.from((await get())?.stderrRaw ?? []), raw);
  });

  it("stores a result of nothing but defaults so that it is no miss", async () => {
    for (const encoded of [new Uint8Array(), Buffer.from([0x20, 0x00])]) {
      const { actions, get } = setUp();
      const stored = await actions.update(action, encoded);
      assert.ok(stored.length > 0);
      assert.equal(fromBinary(ActionResultSchema, stored).exitCode, 0);
      assert.deepEqual(await get(), fromBinary(ActionResultSchema, stored));
    }
  });

  it("inlines what is asked for, as far as there is room", async () => {
    const { blobs, actions, get } = setUp();
    const large = Buffer.alloc(maxInlinedBytes - 100, 1);
    await putBlob(blobs, "said");
    await putBlob(blobs, "small");
    await putBlob(blobs, large);
    const outputFiles = [
      { path: "a", digest: messageOf(blob("small")) },
      { path: "b", digest: messageOf(digestOf(sha256, large)) },
      { path: "c", digest: messageOf(blob("small")) },
      { path: "empty", digest: messageOf(blob("")) },
    ];
    const stdoutDigest = messageOf(blob("said"));
    await actions.update(action, encode({ stdoutDigest, stderrDigest: stdoutDigest, outputFiles }));
    const lengths = ({ stdoutRaw, stderrRaw, outputFiles }: ActionResult): number[] =>
      [stdoutRaw, stderrRaw, ...outputFiles.map((each) => each.contents)].map((each) => each.length);
    assert.deepEqual(lengths((await get()) as ActionResult), [0, 0, 0, 0, 0, 0]);
    const some = await get({ stdout: true, files: ["c", "nowhere"] });
    assert.deepEqual(lengths(some as ActionResult), [4, 0, 0, 0, 5, 0]);
    const all = await get({ stdout: true, stderr: true, files: ["a", "b", "c", "empty"] });
    assert.deepEqual(lengths(all as ActionResult), [4, 4, 5, 0, 5, 0]);
    assert.ok(toBinary(ActionResultSchema, all as ActionResult).length <= maxInlinedBytes);
  });

  it("records every output as a root, each once", async () => {
    const { refs, actions } = setUp();
    const digest = messageOf(blob("out"));
    const directory = { path: "d", treeDigest: messageOf(blob("tree")), rootDirectoryDigest: messageOf(blob("root")) };
    const outputFiles = [
      { path: "a", digest },
      { path: "b", digest },
    ];
    await actions.update(action, encode({ outputFiles, outputDirectories: [directory], stdoutDigest: digest }));
    const name = `sha256/${action.hash}`;
    assert.deepEqual(refs.get({ space: "action", instance: "", name })?.roots, [
      { walk: "blob", digest: blob("out") },
      { walk: "tree", digest: blob("tree") },
      { walk: "directory", digest: blob("root") },
    ]);
  });

  const digest = messageOf(blob("x"));
  const bad: [what: string, encoded: Uint8Array][] = [
    ["bytes that are no result", Buffer.from("no result")],
    ["an output file without a digest", encode({ outputFiles: [{ path: "a" }] })],
    ["an output directory without a digest", encode({ outputDirectories: [{ path: "a" }] })],
    ["a hash that is none", encode({ stdoutDigest: { hash: "xyz", sizeBytes: 1n } })],
    ["a hash of another function", encode({ stdoutDigest: messageOf(digestOf(sha1, Buffer.from("x"))) })],
    ["a negative size", encode({ outputFiles: [{ path: "a", digest: { ...digest, sizeBytes: -1n } }] })],
  ];
  for (const [what, encoded] of bad) {
    it(`refuses ${what}`, async () => {
      const { refs, actions } = setUp();
      await assert.rejects(actions.update(action, encoded), { code: "invalid" });
      assert.equal(refs.count("action"), 0);
    });
  }
});
