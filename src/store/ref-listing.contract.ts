import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RefKind } from "./ref-admin.ts";
import type { RefStoreUnderTest } from "./ref-store.contract.ts";
import type { NewRef, RefListing, RefStore } from "./ref-store.ts";

const kind: RefKind = { space: "ostree", instance: "main" };

const refOf = (name: string, more: Partial<NewRef> = {}): NewRef => ({
  ...kind,
  name,
  message: Buffer.from(`message of ${name}`),
  roots: [],
  stored: 1000,
  expires: undefined,
  ...more,
});

const shown = ({ refs }: RefListing): string[] =>
  refs.map(
    ({ name, message, expires }) => `${name}: ${Buffer.from(message)}${expires === undefined ? "" : ` ${expires}`}`,
  );

/** What every RefStore promises of `listed`. */
export function refListingContract(label: string, open: () => RefStoreUnderTest | Promise<RefStoreUnderTest>): void {
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
  /** What is listed anew, where it is. */
  const anew = async (store: RefStore, known?: number): Promise<RefListing> => {
    const listing = await store.listed(kind, known);
    assert.ok(listing, "nothing was listed");
    return listing;
  };

  describe(`${label}: listings of RefStore`, () => {
    it("has the refs of one kind by the bytes of their names, and what they say", () =>
      withStore(async (store) => {
        assert.deepEqual((await anew(store)).refs, []);
        // By UTF-16 units, the last two would be the other way round.
        const names = ["B", "a", "a/b", "é", "\uffee", "😀"];
        await store.put(names.toReversed().map((name) => refOf(name)));
        await store.put([refOf("x", { instance: "other" }), refOf("y", { space: "release" })]);
        await store.put([refOf("a", { message: new Uint8Array(0), expires: 5000 })]);
        const expected = names.map((name) => (name === "a" ? "a:  5000" : `${name}: message of ${name}`));
        assert.deepEqual(shown(await anew(store)), expected);
      }));

    it("is listed anew once a ref of the kind has come, changed, gone or expired, and not before", () =>
      withStore(async (store, setTime) => {
        let { version } = await anew(store);
        const changes = async (change: () => unknown, refs: readonly string[]): Promise<void> => {
          assert.equal(await store.listed(kind, version), undefined);
          await change();
          const listing = await anew(store, version);
          assert.notEqual(listing.version, version);
          assert.deepEqual(
            listing.refs.map(({ name }) => name),
            refs,
          );
          version = listing.version;
        };
        await changes(() => store.put([refOf("a"), refOf("b", { expires: 3000 })]), ["a", "b"]);
        await changes(() => store.put([refOf("a", { message: Buffer.from("other") })]), ["a", "b"]);
        await store.put([refOf("a", { instance: "other" }), refOf("a", { space: "release" })]);
        await store.remove(refOf("a", { instance: "other" }));
        await store.get(refOf("a"));
        setTime(2999);
        await changes(() => setTime(3000), ["a"]);
        await changes(() => store.remove(refOf("a")), []);
      }));

    it("has all that was acknowledged when it was asked for, whatever goes on meanwhile", () =>
      withStore(async (store) => {
        const count = 1500; // more than one process reads at once
        const many = Array.from({ length: count }, (_, i) => refOf(`ref ${String(i).padStart(5, "0")}`));
        await store.put(many);
        const asking: (RefListing | undefined | Promise<RefListing | undefined>)[] = [];
        for (let i = 0; i < 20; i++) {
          asking.push(store.listed(kind));
          await store.put([refOf(`since ${String(i).padStart(2, "0")}`)]);
          asking.push(store.listed(kind));
        }
        for (const [i, each] of asking.entries()) {
          const listing = await each;
          assert.ok(listing);
          const since = listing.refs.length - count;
          assert.ok(since >= Math.ceil(i / 2), `question ${i} was answered with ${since} of the later ones`);
          assert.ok(listing.refs.every(({ name }, at) => at === 0 || name > (listing.refs[at - 1]?.name ?? "")));
        }
        const last = await anew(store);
        assert.deepEqual(
          shown(last).slice(0, count),
          many.map(({ name }) => `${name}: message of ${name}`),
        );
        assert.equal(last.refs.length, count + 20);
        assert.equal(await store.listed(kind, last.version), undefined);
      }));
  });
}
