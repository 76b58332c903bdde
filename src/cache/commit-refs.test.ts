import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { encode } from "../base/gvariant/gvariant.ts";
import { commitEntry } from "./commit-entry.ts";
import type { RefChange } from "./commit-refs.ts";
import { commitMembers, type PushedCommit, tarOf } from "./push.fixture.ts";
import { type MemoryTenant, memoryTenant } from "./tenant.fixture.ts";

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const ref = (key: string): string => `demo/hello/${key.repeat(64)}`;
const to = (name: string, { commit }: PushedCommit, from?: RefChange["from"]): RefChange => ({
  name,
  to: commit,
  from,
});

async function filled(): Promise<{ tenant: MemoryTenant; pushed: PushedCommit; other: PushedCommit }> {
  const tenant = memoryTenant("");
  const [pushed, other] = [await commitMembers({ a: "one" }, 1234), await commitMembers({ a: "two" })];
  for (const { members } of [pushed, other]) await tenant.pushes.store(once(tarOf(members)), undefined);
  return { tenant, pushed, other };
}

const headOf = async ({ refs }: MemoryTenant, name: string): Promise<string | undefined> => {
  const found = await refs.get({ space: "ostree", instance: "", name });
  return found && Buffer.from(commitEntry(found).commit).toString("hex");
};

describe("the refs of a push", () => {
  test("name a commit and keep it, and are an artifact where they are called like one", async () => {
    const { tenant, pushed } = await filled();
    const detached = encode("a{sv}", [["k", { type: "s", value: "v" }]]);
    const changes = [to(ref("1"), pushed), to(ref("2"), pushed)];
    await tenant.pushes.set({ changes, detached: new Map([[pushed.commit, detached]]), by: "ssh ci" });
    const found = await tenant.refs.get({ space: "ostree", instance: "", name: ref("2") });
    assert.ok(found !== undefined);
    const entry = commitEntry(found);
    assert.deepEqual([entry.timestamp, found.by, found.roots[0]?.walk], [1234, "ssh ci", "commit"]);
    assert.deepEqual(entry.detached, digestOf(sha256, detached));
    assert.deepEqual(found.roots[1], { walk: "blob", digest: entry.detached });
    assert.deepEqual(await tenant.blobs.missing(DigestList.of(digestOf(sha256, detached))), []);
    await tenant.pushes.set({ changes: [to(ref("2"), pushed)], detached: new Map(), by: "ssh ci" });
    const again = await tenant.refs.get({ space: "ostree", instance: "", name: ref("2") });
    assert.ok(again !== undefined && commitEntry(again).detached !== undefined, "what is attached stays");
    const listed = await tenant.refs.artifacts.list({ instance: "", sort: "newest", limit: 10 });
    assert.deepEqual(
      listed.map(({ project, element, generation, keys }) => [project, element, generation, keys]),
      [["demo", "hello", "1.0", ["1".repeat(64), "2".repeat(64)]]],
    );
  });

  test("are set by one of two who say what they are from in the same moment", async () => {
    const { tenant, pushed, other } = await filled();
    const name = ref("1");
    const set = async (commit: PushedCommit, from: RefChange["from"]): Promise<unknown> => {
      const changes = [to(name, commit, from), to(ref("2"), commit)];
      return tenant.pushes.set({ changes, detached: new Map(), by: undefined }).catch(({ code }) => code);
    };
    assert.deepEqual(await Promise.all([set(pushed, null), set(other, null)]), [undefined, "aborted"]);
    assert.deepEqual([await headOf(tenant, name), await headOf(tenant, ref("2"))], [pushed.commit, pushed.commit]);
    const both = await Promise.all([set(other, pushed.commit), set(other, pushed.commit)]);
    assert.deepEqual(both, [undefined, "aborted"]);
  });

  test("take the place of others; where they are to be from one, of that one alone", async () => {
    const { tenant, pushed, other } = await filled();
    const name = ref("1");
    const set = (...changes: RefChange[]) => tenant.pushes.set({ changes, detached: new Map(), by: undefined });
    await set(to(name, pushed, null));
    await set(to(name, other));
    for (const from of [null, pushed.commit]) {
      await assert.rejects(set(to(ref("2"), pushed), to(name, pushed, from)), { code: "aborted", message: /names/ });
      await assert.rejects(tenant.pushes.check([to(name, pushed, from)]), { code: "aborted" });
    }
    await assert.rejects(set(to(ref("3"), pushed, other.commit)), { code: "aborted", message: /is not there/ });
    assert.deepEqual([await headOf(tenant, name), await headOf(tenant, ref("2"))], [other.commit, undefined]);
    await set(to(name, pushed, other.commit));
    assert.equal(await headOf(tenant, name), pushed.commit);
  });

  test("to what is not whole are none of them set", async () => {
    const { tenant, pushed } = await filled();
    const holes = await commitMembers({ a: "one", b: "three" });
    const missing = Object.keys(holes.members).filter((name) => !(name in pushed.members));
    for (const each of missing) {
      const { [each]: _, ...members } = holes.members;
      const fresh = memoryTenant("");
      for (const some of [members, pushed.members]) await fresh.pushes.store(once(tarOf(some)), undefined);
      const changes = [to(ref("1"), pushed), to(ref("2"), holes)];
      await assert.rejects(fresh.pushes.set({ changes, detached: new Map(), by: undefined }), {
        code: "failed-precondition",
        message: /cannot name the commit/,
      });
      assert.equal(await headOf(fresh, ref("1")), undefined, each);
    }
    assert.ok(missing.length >= 3);
    // A dirtree is not a commit, whatever names it so.
    const tree = Object.keys(pushed.members)
      .find((name) => name.endsWith(".dirtree"))
      ?.slice(0, 64) as string;
    const changes = [{ name: ref("1"), to: tree, from: undefined }];
    await assert.rejects(tenant.pushes.set({ changes, detached: new Map(), by: undefined }), { code: "invalid" });
  });

  test("that cannot be refs of one repository are refused before their objects come", async () => {
    const { tenant, pushed } = await filled();
    for (const names of [["../a/b"], ["a//b"], ["a/b/.c"], ["a/b/c d"], ["a"], ["a/b"], ["a/b/c", "a/b/c/d"]]) {
      const changes = names.map((name) => to(name, pushed));
      await assert.rejects(tenant.pushes.check(changes), { code: "invalid" }, names.join());
      await assert.rejects(tenant.pushes.set({ changes, detached: new Map(), by: undefined }), { code: "invalid" });
    }
    const many = Array.from({ length: 1001 }, (_, i) => to(`a/b/${i}`, pushed));
    await assert.rejects(tenant.pushes.check(many), { code: "invalid" });
    await tenant.pushes.check([to(ref("9"), pushed)]);
  });
});
