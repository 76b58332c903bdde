import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Digest } from "../../src/base/digest.ts";
import { walkCommit } from "../../src/cache/commit-walk.ts";
import { commitMembers } from "../../src/cache/push.fixture.ts";
import { putDirectory } from "../../src/cache/tree.fixture.ts";
import { linkOwn, openTarget, type Target } from "../../src/import/importing.fixture.ts";
import { keyOf, numberedBlob, OldFolder } from "../../src/import/old-cache.fixture.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const references = 10;

/** Some 35 MB: three writes of the index, with a large blob for each name, and blobs that have none. */
const old = new OldFolder();
const roots: Digest[] = [];
const loose: Digest[] = [];

before(async () => {
  for (let i = 0; i < references; i++) {
    const files = Array.from({ length: 40 }, (_, f) => [`small${f}`, `${i} ${f},`.repeat(10_000)]);
    const root = await putDirectory(old, { below: Object.fromEntries(files), large: `${i},`.repeat(600_000) });
    roots.push(root);
    old.reference(`p/${i}`, root, 1_000_000 + i);
  }
  for (let i = 0; i < 20; i++) {
    const { digest, bytes } = numberedBlob(i, i % 4 === 0 ? 1_100_000 + i : 50_000 + i);
    await old.put(digest, bytes);
    loose.push(digest);
  }
});
after(() => old[Symbol.dispose]());

/** Points of the write paths and how often each is passed by at least. */
const points = [
  ["pack created", 1],
  ["pack written", 3],
  ["pack synced", 3],
  ["index written", 2],
  ["file shared", 12],
  ["file synced", 12],
  ["file journaled", 12],
  ["file moved", 12],
] as const;

describe("an import whose process is killed", () => {
  for (const [point, most] of points) {
    for (const times of new Set([1, most])) {
      it(`at "${point}" for the ${times}. time goes on when it is run again`, () => killedAt(point, times));
    }
  }

  it("again and again, anywhere, ends with everything", async (t) => {
    await using directory = await temporaryDirectory();
    const store = join(directory.path, "store");
    for (let run = 0; run < 5; run++) {
      const times = randomInt(1, 12);
      t.diagnostic(`run ${run}: killed at point ${times}`);
      await runImport(old, store, "any", times);
      await check(store, false);
    }
    await check(store, true);
  });
});

describe("an import of an OSTree repository whose process is killed", () => {
  it("leaves complete refs alone, and goes on when it is run again", async (t) => {
    using repository = new OldFolder();
    const commits = new Map<string, string>();
    for (let i = 0; i < 6; i++) {
      const small = Array.from({ length: 100 }, (_, f) => [`small${f}`, `${i} ${f},`]);
      const made = await commitMembers({
        ...Object.fromEntries(small),
        large: randomBytes(1_100_000).toString("latin1"),
      });
      repository.ostreeRef(`p/${i}/key`, made, 1_000_000 + i);
      commits.set(`p/${i}/key`, made.commit);
    }
    await using directory = await temporaryDirectory();
    const store = join(directory.path, "store");
    for (const most of [5, 30]) {
      const times = randomInt(1, most);
      t.diagnostic(`killed at point ${times}`);
      assert.equal(await runImport(repository, store, "any", times), "SIGKILL");
      await checkRefs(store, commits);
    }
    {
      await using target = await openTarget({ path: store });
      const { blobs, problems } = await target.import(repository.path, { mayLink: linkOwn(store) });
      assert.deepEqual([blobs.taken + blobs.there, blobs.unneeded, problems], [blobs.files, 0, []]);
    }
    assert.equal(await checkRefs(store, commits), commits.size);
  });
});

/** Resolves to how many refs are there, each with all that it needs. */
async function checkRefs(store: string, commits: ReadonlyMap<string, string>): Promise<number> {
  await using target = await openTarget({ path: store });
  const { refs = [] } = (await target.refs.listed({ space: "ostree", instance: "" })) ?? {};
  for (const { name } of refs) {
    const ref = await target.refs.get({ space: "ostree", instance: "", name });
    const digest = ref?.roots[0]?.digest as Digest;
    assert.equal(digest.hash, commits.get(name));
    assert.equal(await walkCommit(target.tenant.blobs, digest), true);
  }
  return refs.length;
}

async function killedAt(point: string, times: number): Promise<void> {
  await using directory = await temporaryDirectory();
  const store = join(directory.path, "store");
  assert.equal(await runImport(old, store, point, times), "SIGKILL");
  await check(store, false);
  await check(store, true);
}

/** Resolves to the signal that ended it. */
async function runImport(from: OldFolder, store: string, point: string, times: number): Promise<unknown> {
  mkdirSync(store, { recursive: true });
  const program = join(import.meta.dirname, "import-writer.ts");
  const args = [program, from.path, store, point, String(times)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [status, signal] = await once(child, "exit");
  assert.ok(signal === "SIGKILL" || status === 0);
  return signal;
}

/** What is there is whole, and a name has all that it needs; `goOn` imports again, and then everything is there. The old directory stays as it was. */
async function check(store: string, goOn: boolean): Promise<void> {
  await using target = await openTarget({ path: store });
  if (goOn) {
    const before = target.store.usage().blobs;
    const { blobs, names, problems } = await target.import(old.path, { mayLink: linkOwn(store) });
    assert.deepEqual([blobs.there, blobs.there + blobs.taken, problems], [before, blobs.files, []]);
    const { found, taken, there } = names.get("references") ?? {};
    assert.deepEqual([found, (taken ?? 0) + (there ?? 0)], [references, references]);
  }
  const named = await Promise.all(roots.map((_, i) => findReference(target, i)));
  assert.equal(named.filter((each) => each !== undefined).length, await target.refs.count("asset"));
  if (goOn) assert.deepEqual(named, roots);
  let count = 0;
  for (const shelf of readdirSync(join(old.path, "cas/objects"))) {
    for (const name of readdirSync(join(old.path, "cas/objects", shelf))) {
      const path = join(old.path, "cas/objects", shelf, name);
      const size = await target.tenant.blobs.sizeOf(roots[0]?.function as Digest["function"], shelf + name);
      if (size === undefined) continue;
      count++;
      const digest = { function: roots[0]?.function as Digest["function"], hash: shelf + name, size };
      assert.equal(Buffer.compare(await read(target.tenant.blobs, digest), readFileSync(path)), 0);
      assert.ok(statSync(path).nlink <= 2);
    }
  }
  assert.equal(target.store.usage().blobs, count);
  const incoming = join(store, "tenants/@/sha256/incoming");
  assert.deepEqual(existsSync(incoming) ? readdirSync(incoming) : [], []);
}

async function findReference(target: Target, i: number): Promise<Digest | undefined> {
  const uris = [`urn:fdc:buildstream.build:2020:v1:p/${i}/${keyOf(`p/${i}`)}`];
  const query = { kind: "directory", uris, qualifiers: [], function: undefined, oldest: undefined } as const;
  return (await target.tenant.assets.find(query))?.digest;
}
