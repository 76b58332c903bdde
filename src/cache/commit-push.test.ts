import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { encode } from "../base/gvariant/gvariant.ts";
import { filezHead } from "../base/ostree-file.ts";
import { canonicalFile } from "../ostree/canonical-mode.ts";
import { encodeCommit } from "../ostree/commit.ts";
import { encodeDirTree } from "../ostree/dirtree.ts";
import { checksumOfFile } from "../ostree/filez.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { retryWhenFull } from "../store/wrap/retry-when-full.ts";
import { storeObjects } from "./commit-push.ts";
import { commitMembers, tarOf } from "./push.fixture.ts";

const contents = { a: "one", b: "two", c: "" };

async function* inPieces(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const store = (blobs: MemoryStore, members: Readonly<Record<string, Uint8Array>>, most?: number) =>
  storeObjects(blobs, inPieces(tarOf(members)), most);

describe("the objects of a push", () => {
  test("are stored, each once, and read past when they come again", async () => {
    const blobs = new MemoryStore();
    const { members } = await commitMembers(contents);
    assert.deepEqual(await store(blobs, members), { stored: 6, present: 0, detached: new Map() });
    assert.deepEqual(await store(blobs, members), { stored: 0, present: 6, detached: new Map() });
    const other = await commitMembers({ ...contents, d: "four" });
    const { stored, present } = await store(blobs, { ...members, ...other.members });
    assert.deepEqual([stored, present], [3, 6]);
  });

  test("that are large come in pieces", async () => {
    const blobs = new MemoryStore();
    const content = Buffer.alloc(3_000_000, "x");
    const header = canonicalFile(0o644);
    const [filez, checksum] = [filezAtLevel(header, content, 0), checksumOfFile(header, content)];
    assert.equal((await store(blobs, { [`${checksum}.filez`]: filez })).stored, 1);
    // Another encoding of the same file is the same object.
    const small = filezAtLevel(header, content, 9);
    assert.equal((await store(blobs, { [`${checksum}.filez`]: small })).present, 1);
    assert.equal((await store(new MemoryStore(), { [`${checksum}.filez`]: small })).stored, 1);
    await assert.rejects(store(new MemoryStore(), { [`${checksum}.filez`]: filez }, 1_000_000), { code: "exhausted" });
  });

  test("that are large directories are looked at once they are there", async () => {
    const checksum = checksumOfFile(canonicalFile(0o644), new Uint8Array());
    const files = Array.from({ length: 30_000 }, (_, i) => ({ name: `file ${String(i).padStart(6, "0")}`, checksum }));
    const tree = encodeDirTree({ files, directories: [] });
    const wrong = Buffer.from(tree).fill("x", 5, 6); // the first name stands behind the others then
    const blobs = new MemoryStore();
    assert.ok(tree.length > 1 << 20);
    const { hash } = digestOf(sha256, tree);
    assert.equal((await store(blobs, { [`${hash}.dirtree`]: tree })).stored, 1);
    assert.equal(await blobs.sizeOf(sha256, hash), tree.length);
    const other = digestOf(sha256, wrong).hash;
    const cases = [hash, other, other].map((name, i) => [name, i < 2 ? wrong : wrong.subarray(0, 1000)] as const);
    for (const [name, bytes] of cases) {
      const pushed = store(name === hash ? new MemoryStore() : blobs, { [`${name}.dirtree`]: bytes });
      await assert.rejects(pushed, { code: "invalid", message: new RegExp(`${name}.dirtree`) });
    }
  });

  test("that are commits have no metadata that takes long to read", async () => {
    const value = { type: "b", value: true } as const;
    const metadata = Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, value] as const);
    const sums = { tree: "ab".repeat(32), treeMeta: "ab".repeat(32) };
    const commit = encodeCommit({ metadata, parent: undefined, subject: "", body: "", timestamp: 1, ...sums });
    const pushed = store(new MemoryStore(), { [`${digestOf(sha256, commit).hash}.commit`]: commit });
    await assert.rejects(pushed, { code: "exhausted", message: /may have 262144$/ });
  });

  test("that are none are refused, and nothing of them is stored", async () => {
    const { commit, members } = await commitMembers(contents);
    const [name = "", bytes = new Uint8Array()] =
      Object.entries(members).find(([each]) => each.endsWith(".filez")) ?? [];
    const tree = Object.keys(members).find((each) => each.endsWith(".dirtree")) as string;
    const other = "ab".repeat(32);
    const cases: readonly (readonly [string, Uint8Array])[] = [
      [`${other}.filez`, bytes],
      [name, Buffer.concat([bytes, Buffer.from("more")])],
      [name, bytes.subarray(0, -1)],
      [name, new Uint8Array(0)],
      [`${other}.dirtree`, members[tree] as Uint8Array],
      [tree, Buffer.from("no directory")],
      [`${other}.dirmeta`, new Uint8Array(0)],
      [`${commit}.commit`, Buffer.alloc(200)],
      [`${commit}.commitmeta`, Buffer.from("no dictionary")],
      [`${commit}.commitmeta`, Buffer.alloc((64 << 10) + 1)],
      [`${other}.file`, bytes],
      [`${other.toUpperCase()}.filez`, bytes],
      [`../${other}.filez`, bytes],
      [`objects/${other}.filez`, bytes],
      [other, bytes],
      ["", bytes],
    ];
    for (const [member, wrong] of cases) {
      const blobs = new MemoryStore();
      await assert.rejects(store(blobs, { [member]: wrong }), { code: "invalid" }, member);
      assert.equal(blobs.usage().blobs, 0, member);
    }
  });

  test("that say less than they hold are stopped there", async () => {
    const header = canonicalFile(0o644);
    const bomb = Buffer.concat([filezHead(header, 10), deflateRawSync(Buffer.alloc(64 << 20))]);
    await assert.rejects(store(new MemoryStore(), { [`${"ab".repeat(32)}.filez`]: bomb }), { code: "invalid" });
  });

  test("of which the last is missing are no archive", async () => {
    const { members } = await commitMembers(contents);
    const whole = tarOf(members);
    for (const length of [0, 511, 512, 1024, 2048, whole.length - 10_240]) {
      await assert.rejects(storeObjects(new MemoryStore(), inPieces(whole.subarray(0, length)), undefined), {
        code: "failed-precondition",
      });
    }
  });

  test("bring what is attached to commits, and what nobody needs any more", async () => {
    const { commit, members } = await commitMembers(contents);
    const detached = encode("a{sv}", [["ostree.gpgsigs", { type: "aay", value: [Buffer.from("signed")] }]]);
    const more = {
      [`${commit}.commitmeta`]: detached,
      [`${commit}.sig`]: Buffer.from("?"),
      [`${commit}.sizes2`]: detached,
    };
    const pushed = await store(new MemoryStore(), { ...more, ...members });
    assert.deepEqual([pushed.stored, [...pushed.detached.keys()]], [6, [commit]]);
    assert.ok(Buffer.from(detached).equals(pushed.detached.get(commit) as Uint8Array));
  });

  test("for which there is no room are refused for that, also where clients of other protocols are to wait", async () => {
    const { members } = await commitMembers(contents);
    const full = retryWhenFull(new MemoryStore({ quota: 100 }));
    await assert.rejects(storeObjects(full, inPieces(tarOf(members)), undefined), {
      code: "exhausted",
      message: /full/,
    });
  });
});

function filezAtLevel(header: Parameters<typeof filezHead>[0], content: Uint8Array, level: number): Uint8Array {
  return Buffer.concat([filezHead(header, content.length), deflateRawSync(content, { level })]);
}
