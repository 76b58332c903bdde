import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha1, sha256 } from "../base/digest-function.ts";
import { artifactRef } from "./artifact-refs.contract.ts";
import type { ListedRef, RefAdmin, RefOrder } from "./ref-admin.ts";
import type { NewRef, RefName, RefStore, Root } from "./ref-store.ts";

/** A store to be tested, and how to set the time that it reads. */
export interface RefAdminUnderTest {
  readonly store: RefStore & RefAdmin;
  setTime(time: number): void;
}

const roots: readonly Root[] = [
  { walk: "artifact", digest: digestOf(sha256, Buffer.from("a")) },
  { walk: "tree", digest: digestOf(sha1, Buffer.from("b")) },
];
const named = (name: string, more: Partial<RefName> = {}): RefName => ({ space: "asset", instance: "", name, ...more });
const refOf = (name: string, stored: number, more: Partial<NewRef> = {}): NewRef => ({
  ...named(name),
  message: Buffer.from(name),
  roots,
  stored,
  expires: undefined,
  ...more,
});

/** What every RefAdmin promises. `open` gives an empty store with the time at 1000; the suite closes it. */
export function refAdminContract(label: string, open: () => RefAdminUnderTest | Promise<RefAdminUnderTest>): void {
  const withStore = async (
    body: (store: RefStore & RefAdmin, setTime: (time: number) => void) => Promise<void>,
  ): Promise<void> => {
    const { store, setTime } = await open();
    try {
      await body(store, setTime);
    } finally {
      await store.close();
    }
  };
  /** Names by ids. */
  const namesOf = (store: RefAdmin, ids: Iterable<number>): string[] => [...store.rootsOf(ids)].map(({ name }) => name);
  const idsOf = (order: RefOrder, names: readonly string[], store: RefAdmin): number[] => {
    const all = [...store.rootsOf(order.ids)];
    return names.map((name) => all.find((each) => each.name === name)?.id ?? -1);
  };

  describe(`${label}: RefAdmin`, () => {
    it("lists a kind anew once a ref of it was evicted, and only then", () =>
      withStore(async (store) => {
        await store.put([refOf("one", 10), refOf("two", 20), refOf("three", 30, { space: "action" })]);
        const kinds = [
          { space: "asset", instance: "" },
          { space: "action", instance: "" },
        ] as const;
        const [assets, actions] = await Promise.all(kinds.map((kind) => store.listed(kind)));
        const order = await store.order();
        await order.evict(idsOf(order, ["one"], store));
        order.close();
        const names = (await store.listed(kinds[0], assets?.version))?.refs.map(({ name }) => name);
        assert.deepEqual(names, ["two"]);
        assert.equal(await store.listed(kinds[1], actions?.version), undefined);
      }));

    it("orders the pinned ones first, then those that were used last", () =>
      withStore(async (store, setTime) => {
        await store.put([
          refOf("old", 10),
          refOf("pinned", 5),
          refOf("asked for", 7, { space: "action", instance: "team" }),
          refOf("new", 30, { expires: 5000 }),
        ]);
        assert.equal(await store.pin(named("pinned"), true), true);
        setTime(2000);
        await store.get(named("asked for", { space: "action", instance: "team" }));
        const order = await store.order();
        assert.deepEqual(namesOf(store, order.ids), ["pinned", "asked for", "new", "old"]);
        assert.deepEqual([order.length, order.pinned], [4, 1]);
        assert.deepEqual([...order.used], [5, 2000, 30, 10]);
        assert.deepEqual(
          [...order.expires],
          [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 5000, Number.POSITIVE_INFINITY],
        );
        assert.deepEqual(
          [...order.kind].map((place) => order.kinds[place]),
          [
            { space: "asset", instance: "" },
            { space: "action", instance: "team" },
            { space: "asset", instance: "" },
            { space: "asset", instance: "" },
          ],
        );
        order.close();
      }));

    it("takes a ref for as old as its last use, where that is said, and else as it is", () =>
      withStore(async (store) => {
        await store.put([refOf("old", 10), refOf("made anew", 5, { used: 700 })]);
        await store.put([refOf("made anew", 6, { used: 600 })]);
        const order = await store.order();
        assert.deepEqual(namesOf(store, order.ids), ["made anew", "old"]);
        assert.deepEqual([...order.used], [700, 10]);
        assert.equal((await store.get(named("made anew")))?.stored, 6);
        order.close();
      }));

    it("has an order of no refs", () =>
      withStore(async (store) => {
        const order = await store.order();
        assert.deepEqual([order.length, order.since(), await order.evict([1, 2])], [0, [], []]);
        order.close();
      }));

    it("tells what refs keep, without counting that as a use", () =>
      withStore(async (store, setTime) => {
        await store.put([refOf("one", 10), refOf("none", 9, { roots: [] })]);
        setTime(3000);
        const order = await store.order();
        const found = [...store.rootsOf([...order.ids, 12345])];
        assert.deepEqual(
          found.map(({ name, space, instance, roots }) => ({ name, space, instance, roots: [...roots] })),
          [
            { ...named("one"), roots },
            { ...named("none"), roots: [] },
          ],
        );
        order.close();
        const again = await store.order();
        assert.deepEqual([...again.used], [10, 9]);
        again.close();
      }));

    it("tells what was put since, overwritten refs too, each time what is new", () =>
      withStore(async (store) => {
        await store.put([refOf("one", 10), refOf("two", 20)]);
        const order = await store.order();
        await store.get(named("two"));
        assert.deepEqual(order.since(), []);
        await store.put([refOf("one", 10), refOf("three", 5)]);
        await store.put([refOf("one", 10)]);
        assert.deepEqual(namesOf(store, order.since()).sort(), ["one", "three"]);
        assert.deepEqual(order.since(), []);
        await store.put([refOf("four", 1)]);
        assert.deepEqual(namesOf(store, order.since()), ["four"]);
        order.close();
        await store.put([refOf("five", 1)]);
        const second = await store.order();
        assert.deepEqual(second.since(), []);
        second.close();
      }));

    it("evicts what nobody asked for or put since, and what is not pinned", () =>
      withStore(async (store) => {
        const all = ["gone", "asked for", "overwritten", "pinned", "pinned later"];
        await store.put(all.map((name) => refOf(name, 1000)));
        await store.pin(named("pinned"), true);
        const order = await store.order();
        const ids = idsOf(order, all, store);
        // The time has not gone on, and neither has the use that a ref tells.
        await store.get(named("asked for"));
        await store.put([refOf("overwritten", 1)]);
        await store.pin(named("pinned later"), true);
        const stayed = await order.evict(ids);
        assert.deepEqual(namesOf(store, stayed).sort(), ["asked for", "overwritten", "pinned", "pinned later"]);
        assert.equal(await store.get(named("gone")), undefined);
        for (const name of all.slice(1)) assert.ok(await store.get(named(name)), name);
        assert.equal(await store.count("asset"), 4);
        assert.deepEqual(await order.evict(ids.slice(0, 1)), []);
        order.close();
      }));

    it("evicts what is pinned once its own date has passed, and no sooner", () =>
      withStore(async (store) => {
        for (const [name, expires] of Object.entries({ passed: 5, "to come": 9e14 })) {
          await store.put([refOf(name, 1, { expires })]);
          await store.pin(named(name), true);
        }
        const order = await store.order();
        const stayed = await order.evict([...order.ids]);
        assert.deepEqual(namesOf(store, stayed), ["to come"]);
        assert.equal(await store.count("asset"), 1);
        order.close();
      }));

    it("finds none of those that go from the call on, and takes what is put then", () =>
      withStore(async (store) => {
        const all = Array.from({ length: 700 }, (_, i) => `${i}`);
        await store.put(all.map((name) => refOf(name, 1000)));
        const order = await store.order();
        const evicting = order.evict([...order.ids]);
        const asked = all.map((name) => store.get(named(name)));
        const putting = store.put([refOf("5", 2000), refOf("699", 2000)]);
        assert.deepEqual(
          (await Promise.all(asked)).filter((ref) => ref !== undefined),
          [],
        );
        await putting;
        assert.equal((await store.get(named("5")))?.stored, 2000);
        const stayed = namesOf(store, await evicting);
        assert.deepEqual(namesOf(store, order.since()).sort(), ["5", "699"]);
        assert.ok(stayed.every((name) => name === "5" || name === "699"));
        for (const name of all)
          assert.equal((await store.get(named(name)))?.stored, ["5", "699"].includes(name) ? 2000 : undefined);
        order.close();
      }));

    it("evicts nothing once the order is closed", () =>
      withStore(async (store) => {
        await store.put([refOf("one", 10)]);
        const order = await store.order();
        const ids = [...order.ids];
        order.close();
        assert.deepEqual(await order.evict(ids), ids);
        assert.ok(await store.get(named("one")));
      }));

    it("keeps what an order notes where another one ends", () =>
      withStore(async (store) => {
        await store.put([refOf("one", 10), refOf("two", 20)]);
        const [first, second] = await Promise.all([store.order(), store.order()]);
        await store.put([refOf("one", 10)]);
        second.close();
        assert.deepEqual(namesOf(store, first.since()), ["one"]);
        assert.deepEqual(namesOf(store, await first.evict([...first.ids])), ["one"]);
        first.close();
      }));

    it("takes artifacts along whose last ref goes", () =>
      withStore(async (store) => {
        await store.put([artifactRef("p/e/strong", "one", 10), artifactRef("p/e/weak", "one", 10)]);
        await store.put([artifactRef("p/f/key", "two", 10)]);
        const order = await store.order();
        const [strong = 0, weak = 0] = idsOf(order, ["blob\np/e/strong", "blob\np/e/weak"], store);
        await order.evict([strong]);
        const query = { instance: "", sort: "name", limit: 9 } as const;
        const keys = async (): Promise<string[]> =>
          (await store.artifacts.list(query)).map(({ element, keys }) => `${element} ${keys}`);
        assert.deepEqual(await keys(), ["e weak", "f key"]);
        await order.evict([weak]);
        assert.deepEqual(await keys(), ["f key"]);
        assert.deepEqual([await store.artifacts.count(""), await store.count("asset")], [1, 1]);
        order.close();
      }));

    it("pins and lets go, and says where there is no such ref", () =>
      withStore(async (store) => {
        await store.put([refOf("one", 10)]);
        assert.equal(await store.pin(named("one", { instance: "other" }), true), false);
        assert.equal(await store.pin(named("one"), true), true);
        assert.equal((await store.get(named("one")))?.pinned, true);
        await store.put([refOf("one", 20)]);
        assert.equal((await store.get(named("one")))?.pinned, true);
        assert.equal(await store.pin(named("one"), false), true);
        assert.equal((await store.get(named("one")))?.pinned, false);
      }));

    it("lists by instance and space, the last used first, in as many pages as it takes", () =>
      withStore(async (store) => {
        const many = Array.from({ length: 450 }, (_, i) =>
          refOf(`${i}`, 1000 + Math.floor(i / 100), { instance: "b" }),
        );
        await store.put([
          ...many,
          refOf("one", 20, { by: "CN=Zoë", expires: 9000 }),
          refOf("two", 30),
          refOf("x", 9, { space: "action" }),
        ]);
        await store.pin(named("one"), true);
        const names = (listed: Iterable<ListedRef>): string[] => [...listed].map(({ name }) => name);
        assert.deepEqual(names(store.list({ instance: "" })), ["x", "one", "two"]);
        const sorted = many.toSorted((a, b) => b.stored - a.stored).map(({ name }) => name);
        assert.deepEqual(names(store.list({ instance: "b" })), sorted);
        assert.deepEqual(names(store.list({ space: "action" })), ["x"]);
        assert.deepEqual(names(store.list({ pinned: false, instance: "" })), ["x", "two"]);
        const [pinned, ...more] = [...store.list({ pinned: true })];
        assert.deepEqual(
          [{ ...pinned, id: 0 }, more],
          [{ id: 0, ...named("one"), pinned: true, stored: 20, used: 20, expires: 9000, by: "CN=Zoë" }, []],
        );
      }));

    it("counts by space and instance, and tells the oldest use of what is not pinned", () =>
      withStore(async (store) => {
        assert.deepEqual(store.groups(), []);
        const other = { space: "action", instance: "team" } as const;
        await store.put([refOf("one", 20), refOf("two", 30), refOf("three", 40), refOf("four", 50, other)]);
        await store.pin(named("one"), true);
        await store.pin(named("one"), true);
        await store.pin(named("four", other), true);
        const groups = [...store.groups()].sort((a, b) => a.refs - b.refs);
        assert.deepEqual(groups, [
          { ...other, refs: 1, pinned: 1, oldestUse: undefined },
          { space: "asset", instance: "", refs: 3, pinned: 1, oldestUse: 30 },
        ]);
        await store.pin(named("one"), false);
        await store.remove(named("four", other));
        assert.deepEqual(store.groups(), [{ space: "asset", instance: "", refs: 3, pinned: 0, oldestUse: 20 }]);
      }));
  });
}
