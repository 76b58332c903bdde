import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { digestOf, parseDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { decode } from "../base/gvariant/gvariant.ts";
import type { Log } from "../base/log.ts";
import { silentLog } from "../base/log.ts";
import { commitRef, putCommit, type StoredCommit } from "./commit.fixture.ts";
import { CommitIndex } from "./commit-index.ts";
import { type MemoryTenant, memoryTenant } from "./tenant.fixture.ts";

type Listed = [name: string, value: [size: bigint, commit: Uint8Array, metadata: unknown]];

describe("the refs of a 1.0 cache", () => {
  let time: number;
  let damage: number;
  let said: string[];
  let tenant: MemoryTenant;
  let index: CommitIndex;
  let one: StoredCommit;
  let two: StoredCommit;

  const indexWith = (maxSummaryBytes?: number): CommitIndex => {
    const say = (_: object, message: string): void => void said.push(message);
    const log: Log = { ...silentLog, warn: say, error: say };
    const { refs, blobs, closure } = tenant;
    const timing = { now: () => 0, wait: async (_: number, signal: AbortSignal) => signal.throwIfAborted() };
    const limit = maxSummaryBytes === undefined ? {} : { maxSummaryBytes };
    return new CommitIndex({
      instance: "",
      refs,
      blobs,
      closure,
      quiet: closure,
      damage: () => damage,
      log,
      timing,
      ...limit,
    });
  };

  /** Names and commits of the summary. */
  const listed = async (from = index): Promise<Record<string, string>> => {
    const summary = await from.summary();
    const [refs] = decode("(a(s(taya{sv}))a{sv})", summary?.bytes ?? Buffer.alloc(0)) as unknown as [Listed[]];
    return Object.fromEntries(refs.map(([name, [, commit]]) => [name, Buffer.from(commit).toString("hex")]));
  };

  beforeEach(async () => {
    time = 1_000_000;
    damage = 0;
    said = [];
    tenant = memoryTenant("", () => time);
    index = indexWith();
    one = await putCommit(tenant.blobs, { a: "1" }, 10);
    two = await putCommit(tenant.blobs, { a: "2", b: "3" }, 20);
  });

  it("are all in the summary, as soon as they are there and as long", async () => {
    assert.deepEqual(await listed(), {});
    await tenant.refs.put([commitRef("p/e/1", one), commitRef("p/e/2", one)]);
    assert.deepEqual(await listed(), { "p/e/1": one.checksum, "p/e/2": one.checksum });
    await tenant.refs.put([commitRef("p/e/1", two), { ...commitRef("p/e/0", two), expires: time + 1 }]);
    assert.deepEqual(await listed(), { "p/e/0": two.checksum, "p/e/1": two.checksum, "p/e/2": one.checksum });
    assert.equal(await index.head("p/e/1"), two.checksum);
    time += 1;
    assert.deepEqual(Object.keys(await listed()), ["p/e/1", "p/e/2"]);
    await tenant.refs.remove({ space: "ostree", instance: "", name: "p/e/2" });
    assert.deepEqual(Object.keys(await listed()), ["p/e/1"]);
    assert.equal(await index.head("p/e/2"), undefined);
  });

  it("make one summary for all who ask, and no other while nothing changes", async () => {
    await tenant.refs.put([commitRef("p/e/1", one)]);
    const [first, second] = await Promise.all([index.summary(), index.summary()]);
    assert.equal(first?.bytes, second?.bytes);
    assert.equal((await index.summary())?.bytes, first?.bytes);
    assert.equal(await index.summary(first?.tag), undefined);
    assert.equal(index.counts().made, 1);
    const [before, put] = [index.summary(), tenant.refs.put([commitRef("p/e/2", one)])];
    await put;
    const after = index.summary();
    assert.ok(await before);
    assert.notEqual((await after)?.tag, first?.tag);
  });

  it("are used when their commit is pulled", async () => {
    await tenant.refs.put([commitRef("p/e/1", one), commitRef("p/e/2", one), commitRef("p/e/3", two)]);
    time += 60_000;
    assert.equal(await index.pull(one.checksum), one.size);
    const used = new Map([...tenant.refs.list({})].map((each) => [each.name, each.used]));
    assert.deepEqual([used.get("p/e/1"), used.get("p/e/2")], [time, time]);
    assert.equal(used.get("p/e/3"), 20_000);
  });

  it("need no new summary for what is pulled that the last one has, or that is not there", async () => {
    await tenant.refs.put([commitRef("p/e/1", one)]);
    await index.summary();
    await tenant.refs.put([commitRef("p/e/2", two)]);
    assert.equal(await index.pull(one.checksum), one.size);
    assert.equal(await index.head("p/e/2"), two.checksum);
    assert.equal(await index.detached(one.checksum), undefined);
    assert.equal(await index.pull("0".repeat(64)), undefined);
    assert.equal(await index.detached("0".repeat(64)), undefined);
    assert.equal(index.counts().made, 1);
    time += 60_000;
    assert.equal(await index.pull(two.checksum), two.size);
    const used = new Map([...tenant.refs.list({})].map((each) => [each.name, each.used]));
    assert.deepEqual([used.get("p/e/2"), index.counts().made], [time, 2]);
  });

  it("give out a commit that has no ref any more as long as it is whole, and nothing that is none", async () => {
    assert.equal(await index.pull(one.checksum), one.size);
    assert.equal(await index.pull(one.tree), undefined);
    assert.equal(await index.pull("0".repeat(64)), undefined);
    assert.deepEqual(said, []);
  });

  it("have what is attached to a commit", async () => {
    const bytes = Buffer.from([0]);
    const attached = digestOf(sha256, bytes);
    await tenant.blobs.put(attached, bytes);
    await tenant.refs.put([commitRef("p/e/1", one), commitRef("p/e/2", one, attached), commitRef("p/e/3", two)]);
    assert.deepEqual(Buffer.from((await index.detached(one.checksum)) ?? []), bytes);
    assert.equal(await index.detached(two.checksum), undefined);
  });

  it("are not listed where something of their commit is missing, until that is there again", async () => {
    await tenant.refs.put([commitRef("p/e/1", one), commitRef("p/e/2", two)]);
    assert.equal(Object.keys(await listed()).length, 2);
    await tenant.blobs.remove(parseDigest(two.tree, (await tenant.blobs.sizeOf(sha256, two.tree)) ?? 0, sha256));
    assert.equal(await index.pull(two.checksum), undefined);
    assert.match(said.join(), /missing/);
    assert.deepEqual(await listed(), { "p/e/1": one.checksum });
    assert.equal(await index.head("p/e/2"), undefined);
    assert.equal(index.counts().damaged, 1);
    await putCommit(tenant.blobs, { a: "2", b: "3" }, 20);
    await tenant.refs.put([commitRef("p/e/2", two)]);
    assert.equal(Object.keys(await listed()).length, 2);
    assert.equal(said.length, 1);
  });

  it("are all looked at after the start, and when blobs were found damaged", async () => {
    await tenant.refs.put([commitRef("p/e/1", one), commitRef("p/e/2", two)]);
    const remove = async (commit: StoredCommit): Promise<void> => {
      const size = (await tenant.blobs.sizeOf(sha256, commit.tree)) ?? 0;
      await tenant.blobs.remove(parseDigest(commit.tree, size, sha256));
    };
    await remove(one);
    assert.equal(Object.keys(await listed()).length, 2);
    while (said.length < 1) await new Promise(setImmediate);
    assert.deepEqual(Object.keys(await listed()), ["p/e/2"]);
    await remove(two);
    assert.deepEqual(Object.keys(await listed()), ["p/e/2"]);
    damage++;
    await listed();
    while (said.length < 2) await new Promise(setImmediate);
    assert.deepEqual(Object.keys(await listed()), []);
    await index.close();
  });

  it("are left out of a summary that would become too long, the oldest first", async () => {
    const commits = Array.from({ length: 30 }, (_, i) => ({ ...one, timestamp: 1000 + ((i * 7) % 30) }));
    await tenant.refs.put(commits.map((commit, i) => commitRef(`p/e/${String(i).padStart(2, "0")}`, commit)));
    const few = indexWith(2000);
    const names = Object.keys(await listed(few));
    assert.ok(names.length > 10 && names.length < 30, String(names.length));
    const there = new Set(names.map((name) => commits[Number(name.slice(4))]?.timestamp));
    assert.deepEqual(
      [...there].toSorted(),
      Array.from(there, (_, i) => 1030 - there.size + i),
    );
    assert.ok(((await few.summary())?.bytes.length ?? 0) <= 2000);
    assert.match(said.join(), /as long as clients take it/);
    assert.equal(await few.head("p/e/00"), one.checksum);
    assert.equal(few.counts().leftOut, 30 - names.length);
  });
});
