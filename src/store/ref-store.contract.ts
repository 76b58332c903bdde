import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf, emptyDigest } from "../base/digest.ts";
import { sha1, sha256, sha512 } from "../base/digest-function.ts";
import { artifactRefsContract } from "./artifact-refs.contract.ts";
import { maxByLength, maxMessageBytes, maxNameBytes, maxRoots } from "./ref-limits.ts";
import { refListingContract } from "./ref-listing.contract.ts";
import type { NewRef, RefName, RefStore, Root } from "./ref-store.ts";

/** A store to be tested, and how to set the time that it reads. */
export interface RefStoreUnderTest {
  readonly store: RefStore;
  setTime(time: number): void;
}

const digest = digestOf(sha256, Buffer.from("a"));
const roots: readonly Root[] = [
  { walk: "artifact", digest },
  { walk: "directory", digest: emptyDigest(sha512) },
  { walk: "tree", digest: digestOf(sha1, Buffer.from("b")) },
  { walk: "blob", digest },
  { walk: "source", digest },
  { walk: "commit", digest },
];
const name: RefName = { space: "asset", instance: "a/b", name: "blob\nurn:x" };

const refOf = (text: string, more: Partial<NewRef> = {}): NewRef => ({
  ...name,
  message: Buffer.from(text),
  roots,
  stored: 1000,
  expires: undefined,
  ...more,
});

/** What every RefStore promises. `open` gives an empty one with the time at 1000; the suite closes it. */
export function refStoreContract(label: string, open: () => RefStoreUnderTest | Promise<RefStoreUnderTest>): void {
  const withStore = async (
    body: (store: RefStore, setTime: (time: number) => void) => Promise<void>,
  ): Promise<void> => {
    const { store, setTime } = await open();
    try {
      await body(store, setTime);
    } finally {
      await store.close();
    }
  };

  artifactRefsContract(label, open);
  refListingContract(label, open);

  describe(`${label}: RefStore`, () => {
    it("gives back what was put, roots in order, and nothing else", () =>
      withStore(async (store) => {
        assert.equal(await store.get(name), undefined);
        await store.put([refOf("one")]);
        const found = await store.get(name);
        assert.ok(found);
        assert.equal(Buffer.from(found.message).toString(), "one");
        assert.deepEqual(found.roots, roots);
        assert.deepEqual([found.pinned, found.stored, found.expires], [false, 1000, undefined]);
        assert.deepEqual([found.space, found.instance, found.name], [name.space, name.instance, name.name]);
      }));

    it("puts over what a ref is to have, all of a put or none", () =>
      withStore(async (store, setTime) => {
        const messages = async (): Promise<string[]> => {
          const found = [await store.get(name), await store.get({ ...name, name: "other" })];
          return found.map((ref) => (ref === undefined ? "" : Buffer.from(ref.message).toString()));
        };
        const other = { name: "other" };
        const put = (...refs: NewRef[]): Promise<boolean> =>
          store.put(refs).then(
            () => true,
            (error) => (error.code === "aborted" ? false : Promise.reject(error)),
          );
        assert.equal(await put(refOf("one", { over: Buffer.from("one") })), false);
        assert.deepEqual(
          await Promise.all(["one", "two"].map((text) => put(refOf(text, { over: null, expires: 5000 })))),
          [true, false],
        );
        assert.equal(await put(refOf("three", other), refOf("three", { over: Buffer.from("two") })), false);
        assert.deepEqual(await messages(), ["one", ""]);
        assert.equal(
          await put(refOf("three", other), refOf("three", { over: Buffer.from("one"), expires: 6000 })),
          true,
        );
        assert.equal(await put(refOf("four", { over: null })), false);
        assert.deepEqual(await messages(), ["three", "three"]);
        setTime(6000);
        assert.equal(await put(refOf("five", { over: Buffer.from("three") })), false);
        assert.equal(await put(refOf("five", { over: null })), true);
        assert.equal(await put(refOf("six")), true);
      }));

    it("keeps spaces, instances and names apart", () =>
      withStore(async (store) => {
        await store.put([refOf("one")]);
        for (const other of [
          { space: "action" as const },
          { instance: "a" },
          { instance: "" },
          { name: "blob\nurn:X" },
        ]) {
          assert.equal(await store.get({ ...name, ...other }), undefined);
        }
      }));

    it("says who put a ref, and nothing of who nobody named", () =>
      withStore(async (store) => {
        await store.put([refOf("one", { by: "CN=Zoë" })]);
        assert.equal((await store.get(name))?.by, "CN=Zoë");
        await store.put([refOf("two")]);
        assert.equal((await store.get(name))?.by, undefined);
      }));

    it("overwrites the message, the roots, the times and the expiry", () =>
      withStore(async (store) => {
        await store.put([refOf("one", { expires: 5000 })]);
        await store.put([refOf("two", { roots: roots.slice(0, 1), stored: 2000 })]);
        const found = await store.get(name);
        assert.deepEqual([found?.stored, found?.expires, found?.roots], [2000, undefined, roots.slice(0, 1)]);
        assert.equal(Buffer.from(found?.message ?? []).toString(), "two");
        assert.equal(await store.count("asset"), 1);
      }));

    it("takes a message of no bytes, a ref without roots and one name twice in a call", () =>
      withStore(async (store) => {
        await store.put([refOf("first"), refOf("", { roots: [] })]);
        const found = await store.get(name);
        assert.deepEqual([found?.message.length, found?.roots], [0, []]);
      }));

    it("does not see what the caller does to the bytes afterwards", () =>
      withStore(async (store) => {
        const message = Buffer.from("xx-kept-xx").subarray(3, 7);
        await store.put([refOf("", { message })]);
        message.fill(0);
        const found = await store.get(name);
        assert.equal(Buffer.from(found?.message ?? []).toString(), "kept");
      }));

    it("treats an expired ref as gone, from its very time on", () =>
      withStore(async (store, setTime) => {
        await store.put([refOf("one", { expires: 5000 })]);
        setTime(4999);
        assert.equal((await store.get(name))?.expires, 5000);
        setTime(5000);
        assert.equal(await store.get(name), undefined);
        await store.put([refOf("two", { expires: 6000 })]);
        assert.equal((await store.get(name))?.expires, 6000);
      }));

    it("removes, also what is not there", () =>
      withStore(async (store) => {
        await store.put([refOf("one"), refOf("two", { name: "other" })]);
        await store.remove(name);
        await store.remove(name);
        assert.equal(await store.get(name), undefined);
        assert.ok(await store.get({ ...name, name: "other" }));
      }));

    it("counts by space", () =>
      withStore(async (store) => {
        assert.equal(await store.count("action"), 0);
        await store.put([refOf("1"), refOf("2", { name: "2" }), refOf("3", { space: "action" })]);
        assert.deepEqual([await store.count("asset"), await store.count("action")], [2, 1]);
        await store.remove(name);
        assert.deepEqual([await store.count("asset"), await store.count("action")], [1, 1]);
      }));

    it("takes many puts at once, the last of a name wins", () =>
      withStore(async (store) => {
        const puts = Array.from({ length: 500 }, (_, i) => store.put([refOf(`${i}`, { name: `${i % 100}` })]));
        await Promise.all(puts);
        assert.equal(await store.count("asset"), 100);
        for (let i = 0; i < 100; i++) {
          const found = await store.get({ ...name, name: `${i}` });
          assert.equal(Buffer.from(found?.message ?? []).toString(), `${400 + i}`);
        }
      }));

    it("refuses what is beyond its limits, and stores nothing of that call", () =>
      withStore(async (store) => {
        const root: Root = { walk: "blob", digest };
        const bad = [
          refOf("", { name: "n".repeat(maxNameBytes) }),
          refOf("", { name: "ü".repeat(maxNameBytes / 2) }),
          refOf("", { message: new Uint8Array(maxMessageBytes + 1) }),
          refOf("", { by: "b".repeat(maxByLength + 1) }),
          refOf("", { roots: Array.from({ length: maxRoots + 1 }, () => root) }),
        ];
        for (const each of bad) await assert.rejects(store.put([refOf("one"), each]), { code: "invalid" });
        assert.equal(await store.get(name), undefined);
      }));
  });
}
