import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { digestOf, parseDigest } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { encode } from "../base/gvariant/gvariant.ts";
import { filezHead } from "../base/ostree-file.ts";
import { commitMembers, type PushedCommit, tarOf } from "../cache/push.fixture.ts";
import { canonicalDirectory, canonicalFile } from "../ostree/canonical-mode.ts";
import { encodeCommit } from "../ostree/commit.ts";
import { encodeDirMeta } from "../ostree/dirmeta.ts";
import { encodeDirTree } from "../ostree/dirtree.ts";
import { tinyAnswers, tinyRepository } from "../ostree/vectors.fixture.ts";
import { read } from "../store/blob-store.contract.ts";
import { linkOwn, now, openTarget, type Target } from "./importing.fixture.ts";
import { keyOf, memberPath, OldFolder } from "./old-cache.fixture.ts";
import type { Outcome } from "./outcome.ts";

const detached = encode("a{sv}", [["ostree.gpgsigs", { type: "aay", value: [Buffer.from("signed")] }]]);
const nameOf = (element: string): string => `p/${element}/${keyOf(element)}`;
const refOf = ({ refs }: Target, name: string, instance = "") => refs.get({ space: "ostree", instance, name });
const countsOf = ({ names }: Outcome) => names.get("ostreeRefs");

/** What a client that pushes the same has made of it. */
async function pushed({ commit, members }: PushedCommit, name: string) {
  await using target = await openTarget();
  const stored = await target.tenant.pushes.store(Readable.from([tarOf(members)]), undefined);
  const changes = [{ name, to: commit, from: undefined }];
  await target.tenant.pushes.set({ changes, detached: stored.detached, by: undefined });
  return refOf(target, name);
}

describe("the repository of BuildStream 1.0's server", () => {
  test("is taken over as if it had been pushed, but for what no ref needs", async () => {
    using old = new OldFolder();
    const made = await commitMembers({
      a: "a",
      large: randomBytes(1_000_000).toString("latin1"),
      zeros: "0".repeat(9e6),
    });
    const signed = { ...made, members: { ...made.members, [`${made.commit}.commitmeta`]: detached } };
    const alone = await commitMembers({ a: "nobody's" });
    const names = [nameOf("e"), `${nameOf("e").slice(0, -1)}x`];
    for (const [i, name] of names.entries()) old.ostreeRef(name, signed, 1000 + i);
    for (const [member, bytes] of Object.entries(alone.members)) old.write(memberPath(member), bytes);
    old.write("refs/heads/p/.tmp-half", "half");
    await using target = await openTarget();
    const { blobs, layouts, problems, ...outcome } = await target.import(old.path);
    assert.deepEqual([layouts, problems, outcome.otherFiles], [["ostree"], [], 1]);
    // The dirmeta is that of both.
    assert.deepEqual([blobs.files, blobs.taken, blobs.unneeded, blobs.there, blobs.wrong], [9, 6, 3, 0, 0]);
    const [first = "", second = ""] = names;
    assert.deepEqual(await refOf(target, first), { ...(await pushed(signed, first)), stored: 1e6, used: 1e6 });
    assert.deepEqual((await refOf(target, second))?.message, (await refOf(target, first))?.message);
    const listed = await target.refs.artifacts.list({ instance: "", sort: "newest", limit: 10 });
    const entries = listed.map(({ element, generation, content }) => [element, generation, content.hash]);
    assert.deepEqual(entries, [["e", "1.0", made.commit]]);
    for (const [member, bytes] of Object.entries(made.members)) {
      const [hash = "", type] = member.split(".");
      const digest = parseDigest(hash, bytes.length, type === "filez" ? ostree : sha256);
      assert.equal(Buffer.compare(await read(target.tenant.blobs, digest), bytes), 0);
    }
  });

  test("as the real program made it, is taken over whole", async () => {
    using old = new OldFolder();
    // With the names of artifacts: it has others.
    for (const [path, bytes] of tinyRepository()) old.write(path.startsWith("refs/") ? `${path}/key` : path, bytes);
    await using target = await openTarget();
    const { blobs, problems, ...outcome } = await target.import(old.path, { instance: "" });
    const commits = Object.entries(tinyAnswers.commits);
    assert.deepEqual([outcome.names.get("ostreeRefs")?.taken, problems], [commits.length, []]);
    assert.equal(blobs.taken + blobs.unneeded, tinyAnswers.objects.filter(({ type }) => type !== "commitmeta").length);
    for (const [name, commit] of commits) {
      const [root] = (await refOf(target, `${name}/key`))?.roots ?? [];
      assert.equal(root?.digest.hash, commit);
    }
  });

  test("is passed over where it is there, a dry run says the same as an import, and instances are apart", async () => {
    using old = new OldFolder();
    const shared = Array.from({ length: 50 }, (_, i) => [`${i}`, `file ${i % 20}`]);
    for (const [i, element] of ["a", "b", "c"].entries())
      old.ostreeRef(nameOf(element), await commitMembers({ ...Object.fromEntries(shared), element }), 1000 + i);
    const holed = await commitMembers({ hole: "hole" });
    old.ostreeRef(nameOf("holed"), holed, 500);
    rmSync(join(old.path, memberPath(Object.keys(holed.members).find((each) => each.endsWith("filez")) as string)));
    await using target = await openTarget();
    const looked = await target.import(old.path, { dryRun: true });
    assert.deepEqual([target.store.usage().blobs, await target.refs.count("ostree")], [0, 0]);
    const done = await target.import(old.path);
    assert.deepEqual(looked.names, done.names);
    assert.deepEqual({ ...looked.blobs }, { ...done.blobs, cloned: 0, sharedBytes: 0 });
    assert.deepEqual([countsOf(done)?.taken, countsOf(done)?.incomplete, done.problems], [3, 1, []]);
    assert.equal(await refOf(target, nameOf("holed")), undefined);
    // Whoever read it again would find it wrong.
    const first = await commitMembers({ ...Object.fromEntries(shared), element: "a" });
    const file = Object.keys(first.members).find((each) => each.endsWith("filez")) as string;
    old.write(memberPath(file), "something else");
    const again = await target.import(old.path);
    assert.deepEqual([countsOf(again)?.there, again.blobs.taken, again.blobs.there], [3, 0, done.blobs.taken]);
    const elsewhere = await target.import(old.path, { instance: "team/os", blobs: target.store.tenant("team/os") });
    assert.ok((countsOf(elsewhere)?.incomplete ?? 0) > 1);
    assert.equal(await refOf(target, nameOf("a"), "team/os"), undefined);
  });

  test("keeps what was pushed here later, and takes what was pushed there later", async () => {
    using old = new OldFolder();
    const [first, second] = [await commitMembers({ a: "1" }), await commitMembers({ a: "2" })];
    old.ostreeRef(nameOf("here"), first, 1000);
    old.ostreeRef(nameOf("there"), first, 1000);
    await using target = await openTarget();
    await target.import(old.path);
    const { pushes } = target.tenant;
    await pushes.store(Readable.from([tarOf(second.members)]), undefined);
    const changes = [{ name: nameOf("here"), to: second.commit, from: undefined }];
    await pushes.set({ changes, detached: new Map(), by: undefined });
    old.ostreeRef(nameOf("there"), second, 2000);
    const outcome = await target.import(old.path);
    assert.deepEqual([countsOf(outcome)?.newer, countsOf(outcome)?.taken], [1, 1]);
    for (const name of ["here", "there"])
      assert.equal((await refOf(target, nameOf(name)))?.roots[0]?.digest.hash, second.commit);
    assert.equal((await refOf(target, nameOf("here")))?.stored, now);
  });

  test("tells each thing that is broken once, with its path, and takes none of it", async () => {
    using old = new OldFolder();
    const paths: string[] = [];
    const breaks = async (type: string, made: PushedCommit, bytesOf: (sound: Uint8Array) => Uint8Array) => {
      for (const key of ["strong", "weak"]) old.ostreeRef(nameOf(`${paths.length}-${key}`), made);
      const member = Object.keys(made.members).find((each) => each.endsWith(`.${type}`)) as string;
      old.write(memberPath(member), bytesOf(made.members[member] as Uint8Array));
      paths.push(memberPath(member));
    };
    const large = (): string => randomBytes(1_000_000).toString("latin1");
    const bomb = Buffer.concat([filezHead(canonicalFile(0o644), 10), deflateRawSync(Buffer.alloc(2 << 20))]);
    await breaks("commit", await commitMembers({ a: "1" }), (bytes) => bytes.subarray(0, -1));
    await breaks("dirtree", await commitMembers({ a: "2" }), () => Buffer.of());
    await breaks("filez", await commitMembers({ a: "3" }), (bytes) => bytes.subarray(0, -1));
    await breaks("filez", await commitMembers({ a: "4" }), () => bomb);
    await breaks("filez", await commitMembers({ a: large() }), (bytes) => Uint8Array.from(bytes).fill(0, -3));
    await breaks("dirtree", misnamed(), (bytes) => bytes);
    const sound = await commitMembers({ sound: "sound" });
    old.ostreeRef(nameOf("sound"), sound);
    for (const name of ["again", "empty"]) old.ostreeRef(nameOf(name), sound);
    old.write(`objects/${sound.commit.slice(0, 2)}/${sound.commit.slice(2)}.commitmeta`, "no dictionary");
    old.write(`refs/heads/${nameOf("empty")}`, "");
    old.write(`refs/heads/${nameOf("nonsense")}`, "nonsense\n");
    paths.push(`objects/${sound.commit.slice(0, 2)}/${sound.commit.slice(2)}.commitmeta`);
    paths.push(...["empty", "nonsense"].map((name) => `refs/heads/${nameOf(name)}`));
    await using target = await openTarget();
    for (const run of [1, 2]) {
      const outcome = await target.import(old.path, { mayLink: linkOwn(target.path) });
      const { wrong, incomplete, taken, there } = countsOf(outcome) ?? {};
      assert.deepEqual([wrong, incomplete, taken, there], run === 1 ? [2, 12, 2, 0] : [2, 12, 0, 2]);
      assert.deepEqual(
        outcome.problems.map(({ path }) => path).toSorted(),
        paths.map((path) => join(old.path, path)).toSorted(),
      );
      assert.equal(outcome.blobs.wrong, 6);
    }
    await using empty = await openTarget();
    const looked = await empty.import(old.path, { dryRun: true });
    assert.ok(looked.blobs.taken + looked.blobs.wrong + looked.blobs.unneeded <= looked.blobs.files);
    const ref = await refOf(target, nameOf("sound"));
    assert.equal(ref?.roots[0]?.digest.hash, sound.commit);
    assert.equal(await target.refs.count("ostree"), 2);
  });

  test("with what was attached to a commit and taken away is as one without", async () => {
    using old = new OldFolder();
    const made = await commitMembers({ a: "a" });
    old.ostreeRef(nameOf("e"), { ...made, members: { ...made.members, [`${made.commit}.commitmeta`]: Buffer.of() } });
    await using target = await openTarget();
    const { problems } = await target.import(old.path);
    assert.deepEqual(problems, []);
    assert.deepEqual((await refOf(target, nameOf("e")))?.message, (await pushed(made, nameOf("e")))?.message);
  });

  test("shares large files, and is taken from what was used last on where there is no room for all", async () => {
    using old = new OldFolder();
    const commits: PushedCommit[] = [];
    for (let i = 0; i < 3; i++) {
      const made = await commitMembers({ large: randomBytes(1_000_000).toString("latin1") });
      old.ostreeRef(nameOf(`${i}`), made, 1000 + i);
      commits.push(made);
    }
    await using full = await openTarget({ quota: 3_000_000 });
    await assert.rejects(full.import(old.path), { code: "exhausted" });
    assert.equal((await refOf(full, nameOf("2")))?.roots[0]?.digest.hash, commits[2]?.commit);
    assert.equal(await refOf(full, nameOf("0")), undefined);
    await using target = await openTarget();
    const { blobs } = await target.import(old.path, { mayLink: linkOwn(target.path) });
    assert.deepEqual([blobs.linked + blobs.cloned, blobs.taken], [3, 3 * 3 + 1]);
  });

  test("may have long commits, and directories that are no small blobs; a commit that is longer than an artifact's is told", async () => {
    using old = new OldFolder();
    const made = await commitMembers({ a: "a" });
    const [file = ""] = Object.keys(made.members).filter((each) => each.endsWith(".filez"));
    const files = Array.from({ length: 30_000 }, (_, i) => ({ name: `${i}`, checksum: file.slice(0, 64) }));
    const large = commitOf(encodeDirTree({ files, directories: [] }), "x".repeat(200_000));
    old.ostreeRef(nameOf("e"), { ...large, members: { ...made.members, ...large.members } });
    const tooLarge = commitOf(encodeDirTree({ files: [], directories: [] }), "x".repeat(300_000));
    old.ostreeRef(nameOf("f"), { ...tooLarge, members: { ...made.members, ...tooLarge.members } });
    await using target = await openTarget();
    const looked = await target.import(old.path, { dryRun: true });
    const done = await target.import(old.path, { mayLink: linkOwn(target.path) });
    assert.deepEqual(
      done.problems.map(({ why }) => /no commit of an artifact: it has 300\d+ bytes/.test(why)),
      [true],
    );
    assert.equal(countsOf(done)?.taken, 1);
    assert.deepEqual([looked.problems, looked.names, looked.blobs], [done.problems, done.names, done.blobs]);
  });

  test("has nothing for an index", async () => {
    using old = new OldFolder();
    old.ostreeRef(nameOf("e"), await commitMembers({ a: "a" }));
    await using target = await openTarget();
    await assert.rejects(target.import(old.path, { indexOnly: true }), {
      code: "failed-precondition",
      hint: /storage/,
    });
  });
});

/** A commit whose root is text under the checksum of a dirtree, which it has. */
const misnamed = (): PushedCommit => commitOf(Buffer.from("no dirtree, whatever it is called"));

function commitOf(root: Uint8Array, body = ""): PushedCommit {
  const meta = encodeDirMeta(canonicalDirectory(0o755));
  const [tree, treeMeta] = [root, meta].map((bytes) => digestOf(sha256, bytes).hash) as [string, string];
  const about = { metadata: [], parent: undefined, subject: "", body, timestamp: 1000 };
  const bytes = encodeCommit({ ...about, tree, treeMeta });
  const commit = digestOf(sha256, bytes).hash;
  const members = { [`${commit}.commit`]: bytes, [`${tree}.dirtree`]: root, [`${treeMeta}.dirmeta`]: meta };
  return { commit, members };
}
