import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { messageOf, putBlob, putDirectory } from "../cache/tree.fixture.ts";
import { ActionResultSchema, DirectorySchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../gen/buildstream/v2/artifact_pb.ts";
import { SourceSchema } from "../gen/buildstream/v2/source_pb.ts";
import { read } from "../store/blob-store.contract.ts";
import { linkOwn, now, openTarget, type Target } from "./importing.fixture.ts";
import { keyOf, numberedBlob, OldFolder } from "./old-cache.fixture.ts";
import type { Outcome } from "./outcome.ts";

const uriOf = (name: string): string => `urn:fdc:buildstream.build:2020:v1:${name}/${keyOf(name)}`;
const query = { qualifiers: [], function: undefined, oldest: undefined };
const findReference = (target: Target, name: string) =>
  target.tenant.assets.find({ ...query, kind: "directory", uris: [uriOf(name)] });

describe("importCache", () => {
  it("takes references with all that they need, and blobs that nothing needs", async () => {
    using old = new OldFolder();
    const large = "x".repeat(1_500_000);
    const root = await putDirectory(old, { bin: { tool: "a tool", large }, "readme.txt": "read me" });
    const loose = await putBlob(old, "nobody names me");
    old.reference("p/e", root);
    await using target = await openTarget();
    const { blobs, names, problems } = await target.import(old.path);
    assert.deepEqual((await findReference(target, "p/e"))?.digest, root);
    assert.deepEqual(await read(target.tenant.blobs, loose), Buffer.from("nobody names me"));
    assert.deepEqual([blobs.files, blobs.taken, blobs.there, blobs.wrong, problems], [6, 6, 0, 0, []]);
    assert.deepEqual([names.get("references")?.found, names.get("references")?.taken], [1, 1]);
    assert.equal(target.store.usage().blobs, 6);
  });

  it("takes artifacts, sources, assets and action results", async () => {
    using old = new OldFolder();
    const files = messageOf(await putDirectory(old, { lib: { "a.so": "a library" } }));
    const publicData = messageOf(await putBlob(old, "public"));
    const log = messageOf(await putBlob(old, "log"));
    const sources = messageOf(digestOf(sha256, Buffer.from("never uploaded")));
    const artifact = toBinary(
      ArtifactSchema,
      create(ArtifactSchema, { files, publicData, logs: [{ digest: log }], sources, strongKey: "key" }),
    );
    const source = toBinary(SourceSchema, create(SourceSchema, { files }));
    old.write(`artifacts/refs/p/e/${keyOf("a")}`, artifact);
    old.write(`source_protos/local/${keyOf("s")}`, source);
    const uri = `urn:fdc:buildstream.build:2020:artifact:p/e/${keyOf("a")}`;
    const blobDigest = messageOf(await putBlob(old, artifact));
    const expiresAt = { seconds: 5_000_000_000n };
    old.asset({ uri, blobDigest });
    old.asset({ uri: "urn:q", qualifiers: [{ name: "a", value: "b" }], blobDigest: log, expiresAt });
    old.directoryAsset({ uri: "urn:d", rootDirectoryDigest: files });
    const action = digestOf(sha256, Buffer.from("action"));
    const result = toBinary(ActionResultSchema, create(ActionResultSchema, { stdoutDigest: log, exitCode: 3 }));
    old.actionResult(action, result);

    await using target = await openTarget();
    const { names, layouts } = await target.import(old.path);
    assert.deepEqual(layouts, ["bst1.9", "casd"]);
    const taken = [...names].map(([what, counts]) => [what, counts.taken]);
    assert.deepEqual(taken, [
      ["artifacts", 1],
      ["sources", 1],
      ["assets", 3],
      ["actionResults", 1],
    ]);
    const { tenant, refs } = target;
    assert.deepEqual(await tenant.messages.find("artifact", `p/e/${keyOf("a")}`), new Uint8Array(artifact));
    assert.deepEqual(await tenant.messages.find("source", `local/${keyOf("s")}`), new Uint8Array(source));
    const found = await tenant.assets.find({ ...query, kind: "blob", uris: [uri] });
    assert.equal(found?.digest.hash, blobDigest.hash);
    // What BuildStream's own push would have referred to.
    const ref = await refs.get({ space: "asset", instance: "", name: `blob\n${uri}` });
    assert.deepEqual(
      ref?.roots.map(({ walk, digest }) => [walk, digest.hash]),
      [
        ["artifact", blobDigest.hash],
        ["directory", files.hash],
        ["blob", publicData.hash],
        ["blob", log.hash],
        ["directory", sources.hash],
      ],
    );
    const qualified = { ...query, kind: "blob", uris: ["urn:q"], qualifiers: [{ name: "a", value: "b" }] } as const;
    assert.equal((await tenant.assets.find(qualified))?.expires, 5_000_000_000_000);
    assert.ok(await tenant.assets.find({ ...query, kind: "directory", uris: ["urn:d"] }));
    assert.deepEqual(
      await tenant.actions.get(action, { stdout: false, stderr: false, files: [] }),
      new Uint8Array(result),
    );
  });

  it("takes only files for blobs and names, waits for no pipe, and follows no link", async () => {
    using old = new OldFolder();
    using elsewhere = new OldFolder();
    const [piped, linked, large, sound] = [
      numberedBlob(1, 500),
      numberedBlob(2, 500),
      numberedBlob(3, 2_000_000),
      numberedBlob(4, 500),
    ];
    const digests = { piped: piped.digest, linked: linked.digest, large: large.digest };
    for (const [name, digest] of Object.entries(digests)) {
      const directory = create(DirectorySchema, { files: [{ name, digest: messageOf(digest) }] });
      old.reference(`p/${name}`, await putBlob(old, toBinary(DirectorySchema, directory)));
    }
    for (const { digest, bytes } of [linked, large, sound]) await elsewhere.put(digest, bytes);
    const folderOf = (digest: Digest): string => dirname(join(old.path, old.blobPath(digest)));
    for (const digest of Object.values(digests)) mkdirSync(folderOf(digest), { recursive: true });
    execFileSync("mkfifo", [
      join(old.path, old.blobPath(piped.digest)),
      join(old.path, "cas/refs/heads/p", keyOf("pipe")),
    ]);
    for (const { digest } of [linked, large])
      symlinkSync(join(elsewhere.path, elsewhere.blobPath(digest)), join(old.path, old.blobPath(digest)));
    symlinkSync(elsewhere.path, join(old.path, "cas/refs/heads/q"));
    symlinkSync(
      join(old.path, "cas/refs/heads/p/linked", keyOf("p/linked")),
      join(old.path, "cas/refs/heads/p", keyOf("name")),
    );
    await old.put(sound.digest, sound.bytes);
    await using target = await openTarget();
    const { names, blobs, problems, otherFiles } = await target.import(old.path, { mayLink: async () => true });
    assert.deepEqual([names.get("references")?.found, names.get("references")?.incomplete, otherFiles], [3, 3, 3]);
    assert.deepEqual([blobs.taken, blobs.wrong], [4, 3]);
    assert.deepEqual(new Set(problems.map(({ why }) => why)), new Set(["it is not a file"]));
  });

  it("leaves out names with a hole, and takes what is left of them", async () => {
    using old = new OldFolder();
    const whole = await putDirectory(old, { a: "a" });
    const holed = await putDirectory(old, { b: "b", c: { d: "d" } });
    old.drop(digestOf(sha256, Buffer.from("d")));
    old.reference("p/whole", whole);
    old.reference("p/holed", holed);
    await using target = await openTarget();
    const { names, blobs, problemCount } = await target.import(old.path);
    assert.deepEqual([names.get("references")?.taken, names.get("references")?.incomplete], [1, 1]);
    assert.equal(await findReference(target, "p/holed"), undefined);
    assert.deepEqual([blobs.taken, blobs.files, problemCount], [5, 5, 0]);
    assert.equal(await target.refs.count("asset"), 1);
  });

  it("tells each wrong blob and name once, and takes none of them", async () => {
    using old = new OldFolder();
    const torn = numberedBlob(1, 5000);
    const tornLarge = numberedBlob(2, 3_000_000);
    const flipped = numberedBlob(3, 3_000_001);
    for (const { digest, bytes } of [torn, tornLarge, flipped]) await old.put(digest, bytes);
    const bad = await putDirectory(old, { torn: Buffer.from(torn.bytes).toString() });
    old.write(old.blobPath(torn.digest), torn.bytes.subarray(0, 100));
    old.write(old.blobPath(tornLarge.digest), tornLarge.bytes.subarray(0, 2_000_000));
    old.write(old.blobPath(flipped.digest), Buffer.from(flipped.bytes).fill(0, 2_000_000, 2_000_001));
    old.write(old.blobPath({ hash: keyOf("empty") }), "");
    old.write("cas/objects/5d/41402abc4b2a76b9719d911017c592", "md5");
    old.write("cas/objects/ab/tmp-x", "half");
    for (const name of ["one", "two"]) old.reference(`p/${name}`, bad);
    old.write(`cas/refs/heads/p/empty/${keyOf("x")}`, "");
    old.write(`cas/refs/heads/p/nonsense/${keyOf("x")}`, "\x0a\x7fnonsense");
    old.write("cas/refs/heads/p/e/tmpabc", "half");
    old.write(`artifacts/refs/p/e/${keyOf("huge")}`, Buffer.alloc((4 << 20) + 1));
    await using target = await openTarget();
    for (const _ of [1, 2]) {
      const { names, blobs, problems, otherFiles } = await target.import(old.path);
      assert.deepEqual([blobs.wrong, blobs.foreign, otherFiles], [4, 1, 2]);
      assert.deepEqual([names.get("references")?.incomplete, names.get("references")?.wrong], [2, 2]);
      assert.equal(names.get("artifacts")?.wrong, 1);
      assert.equal(problems.length, 8);
      assert.equal(new Set(problems.map(({ path }) => path)).size, 8);
      assert.ok(problems.every(({ path }) => path.startsWith(old.path)));
    }
    for (const { digest } of [torn, tornLarge, flipped])
      assert.equal(await target.tenant.blobs.open(digest), undefined);
    assert.equal(target.store.usage().blobs, 1);
    assert.deepEqual(readdirSync(join(target.path, "tenants/@/sha256/incoming")), []);
  });

  it("passes over what is there without reading it, takes what is new, and keeps what is newer here", async () => {
    using old = new OldFolder();
    const first = await putDirectory(old, { a: "a" });
    for (const name of ["same", "changed", "pushed"]) old.reference(`p/${name}`, first, 1000);
    await using target = await openTarget();
    await target.import(old.path);
    const second = await putDirectory(old, { b: "b" });
    // Whoever read it again would find it wrong.
    old.write(old.blobPath(digestOf(sha256, Buffer.from("a"))), "A");
    old.reference("p/changed", second, 2000);
    const roots = [{ walk: "directory", digest: second } as const];
    const name = { space: "asset", instance: "", name: `directory\n${uriOf("p/pushed")}` } as const;
    await target.refs.put([{ ...name, message: Buffer.from("later"), roots, stored: now, expires: undefined }]);
    const { names, blobs } = await target.import(old.path);
    const { there, taken, newer, found } = names.get("references") ?? {};
    assert.deepEqual({ found, there, taken, newer }, { found: 3, there: 1, taken: 1, newer: 1 });
    assert.deepEqual([blobs.there, blobs.taken, blobs.wrong], [2, 2, 0]);
    assert.deepEqual((await findReference(target, "p/changed"))?.digest, second);
    assert.deepEqual(Buffer.from((await target.refs.get(name))?.message ?? []), Buffer.from("later"));
  });

  it("of two files for the same name, from servers that came one after another, takes the one used last", async () => {
    for (const [time, wins] of [
      [500, "asset"],
      [2000, "reference"],
    ] as const) {
      using old = new OldFolder();
      const [one, other] = [await putDirectory(old, { a: "a" }), await putDirectory(old, { b: "b" })];
      old.reference("p/e", one, time);
      old.directoryAsset({ uri: uriOf("p/e"), rootDirectoryDigest: messageOf(other) }, 1000);
      await using target = await openTarget();
      for (const _ of [1, 2]) {
        await target.import(old.path);
        assert.deepEqual((await findReference(target, "p/e"))?.digest, wins === "asset" ? other : one);
      }
    }
  });

  it("keeps when things were last used", async () => {
    using old = new OldFolder();
    old.reference("p/old", await putDirectory(old, { a: "a" }), 1000);
    old.reference("p/older", await putDirectory(old, { b: "b" }), 500);
    old.reference("p/future", await putDirectory(old, { c: "c" }), now / 1000 + 9999);
    await using target = await openTarget();
    for (const _ of [1, 2]) {
      await target.import(old.path);
      for (const [name, used] of Object.entries({ old: 1_000_000, older: 500_000, future: now })) {
        const ref = { space: "asset", instance: "", name: `directory\n${uriOf(`p/${name}`)}` } as const;
        assert.equal((await target.refs.get(ref))?.stored, used);
      }
    }
  });

  it("takes the last used first where there is no room for all, and goes on when there is", async () => {
    using old = new OldFolder();
    const roots: Digest[] = [];
    for (let i = 0; i < 10; i++) {
      roots.push(await putDirectory(old, { small: `${i}`.repeat(900_000), large: `${i}`.repeat(1_100_000) }));
      old.reference(`p/${i}`, roots[i] as Digest, 1000 + i);
    }
    let ended: Outcome | undefined;
    const path = await (async () => {
      await using target = await openTarget({ quota: 9_000_000, failed: (outcome) => (ended = outcome) });
      await assert.rejects(target.import(old.path), { code: "exhausted", message: /the store is full/ });
      for (const i of [9, 8, 7]) assert.deepEqual((await findReference(target, `p/${i}`))?.digest, roots[i]);
      assert.equal(await findReference(target, "p/0"), undefined);
      assert.ok((ended?.names.get("references")?.taken ?? 0) >= 3);
      return old.path;
    })();
    await using target = await openTarget({ quota: 40_000_000 });
    const { names } = await target.import(path);
    assert.equal(names.get("references")?.taken, 10);
  });

  it("goes on where one that was stopped ended", async () => {
    using old = new OldFolder();
    for (let i = 0; i < 50; i++) old.reference(`p/${i}`, await putDirectory(old, { file: `file ${i}` }));
    await using target = await openTarget();
    const stop = new AbortController();
    const reason = new Error("stopped");
    const counting = {
      get: (...args: Parameters<typeof target.refs.get>) => {
        if (++asked === 25) stop.abort(reason);
        return target.refs.get(...args);
      },
    };
    let asked = 0;
    const refs = Object.assign(Object.create(target.refs), counting);
    await assert.rejects(target.import(old.path, { refs, signal: stop.signal }), reason);
    const kept = await target.refs.count("asset");
    assert.ok(kept > 0 && kept <= 25, `${kept} names`);
    const { names, blobs } = await target.import(old.path);
    const { there, taken } = names.get("references") ?? {};
    assert.deepEqual([there, (there ?? 0) + (taken ?? 0)], [kept, 50]);
    assert.equal(blobs.there + blobs.taken, 100);
  });

  it("of an index takes the names alone, complete or not", async () => {
    using old = new OldFolder();
    const digest = digestOf(sha256, Buffer.from("elsewhere"));
    old.asset({ uri: "urn:x", blobDigest: messageOf(digest) });
    await putBlob(old, "a blob");
    await using target = await openTarget();
    const { names, blobs } = await target.import(old.path, { indexOnly: true });
    assert.deepEqual([names.get("assets")?.taken, blobs.files, target.store.usage().blobs], [1, 0, 0]);
    assert.equal(await target.refs.count("asset"), 1);
  });

  it("leaves out what has expired", async () => {
    using old = new OldFolder();
    const blobDigest = messageOf(await putBlob(old, "a blob"));
    old.asset({ uri: "urn:x", blobDigest, expiresAt: { seconds: 1000n } });
    await using target = await openTarget();
    const { names } = await target.import(old.path);
    assert.deepEqual([names.get("assets")?.expired, await target.refs.count("asset")], [1, 0]);
  });

  it("in a dry run says the same and changes nothing", async () => {
    using old = new OldFolder();
    old.reference("p/whole", await putDirectory(old, { a: "a", large: "x".repeat(2_000_000) }));
    old.reference("p/holed", await putDirectory(old, { d: "d" }));
    old.drop(digestOf(sha256, Buffer.from("d")));
    await using target = await openTarget();
    const looked = await target.import(old.path, { dryRun: true });
    assert.deepEqual([target.store.usage().blobs, await target.refs.count("asset")], [0, 0]);
    const done = await target.import(old.path);
    assert.deepEqual(looked.blobs, { ...done.blobs, cloned: 0, sharedBytes: 0 });
    assert.deepEqual(looked.names, done.names);
    const again = await target.import(old.path, { dryRun: true });
    assert.deepEqual([again.blobs.there, again.blobs.taken], [done.blobs.taken, 0]);
  });

  it("links large files only where it may, and nobody else could write to them", async () => {
    using old = new OldFolder();
    const [alone, shared] = [numberedBlob(1, 2_000_000), numberedBlob(2, 2_000_000)];
    for (const { digest, bytes } of [alone, shared]) await old.put(digest, bytes);
    linkSync(join(old.path, old.blobPath(shared.digest)), join(old.path, "a checkout"));
    await using target = await openTarget();
    const { blobs } = await target.import(old.path, { mayLink: linkOwn(target.path) });
    assert.equal(blobs.taken, 2);
    const inode = (digest: Digest) => statSync(join(old.path, old.blobPath(digest))).ino;
    const shelf = (digest: Digest) => join(target.path, "tenants/@/sha256/files", digest.hash.slice(0, 2));
    const ours = (digest: Digest) => statSync(join(shelf(digest), readdirSync(shelf(digest))[0] ?? ""));
    // Where the file system clones, nothing has to be linked.
    assert.equal(blobs.linked + blobs.cloned, blobs.cloned === 2 ? 2 : 1);
    assert.equal(ours(alone.digest).ino === inode(alone.digest), blobs.linked === 1);
    if (blobs.linked === 1) assert.equal(ours(alone.digest).mode & 0o222, 0);
    assert.notEqual(ours(shared.digest).ino, inode(shared.digest));
    for (const { digest, bytes } of [alone, shared]) {
      assert.equal((await target.tenant.blobs.missing(DigestList.of(digest))).length, 0);
      assert.deepEqual(Buffer.compare(await read(target.tenant.blobs, digest), bytes), 0);
    }
  });
});
