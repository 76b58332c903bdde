import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import {
  type ArtifactEntry,
  type ArtifactQuery,
  type ArtifactSort,
  type ListedArtifact,
  maxKeys,
} from "./artifact-refs.ts";
import type { NewRef, RefStore } from "./ref-store.ts";

/** Opens an empty store whose time `setTime` sets. */
export type OpenRefStore = () => MaybePromiseOfStore;
type MaybePromiseOfStore = StoreAndTime | Promise<StoreAndTime>;
interface StoreAndTime {
  readonly store: RefStore;
  setTime(time: number): void;
}

const contentOf = (text: string): Digest => digestOf(sha256, Buffer.from(text));

/** A ref that names `PROJECT/ELEMENT/KEY` with some content. */
export function artifactRef(name: string, content: string, stored: number, more: Partial<NewRef> = {}): NewRef {
  const [project = "", element = "", key = ""] = name.split("/");
  const digest = contentOf(content);
  const artifact: ArtifactEntry = { project, element, key, generation: "2.x", content: digest };
  return {
    space: "asset",
    instance: "",
    name: `blob\n${name}`,
    message: Buffer.from(name),
    roots: [{ walk: "artifact", digest }],
    stored,
    expires: undefined,
    artifact,
    ...more,
  };
}

const everything: ArtifactQuery = { instance: "", sort: "newest", limit: 100 };
const names = (listed: readonly ListedArtifact[]): string[] =>
  listed.map(({ project, element, keys }) => `${project}/${element} ${keys.join(",")}`);

/** What the list of artifacts of every RefStore promises. */
export function artifactRefsContract(label: string, open: OpenRefStore): void {
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
  const list = async (store: RefStore, query: Partial<ArtifactQuery> = {}): Promise<string[]> =>
    names(await store.artifacts.list({ ...everything, ...query }));

  describe(`${label}: ArtifactRefs`, () => {
    it("makes one artifact of the refs with one content, and of nothing but those with an artifact", () =>
      withStore(async (store) => {
        await store.put([
          artifactRef("p/e/strong", "one", 10, { by: "alice" }),
          artifactRef("p/e/weak", "one", 10, { by: "alice" }),
          artifactRef("p/f/strong", "one", 11),
          artifactRef("p/e/other", "two", 12),
          artifactRef("p/e/none", "one", 13, { artifact: undefined }),
        ]);
        assert.deepEqual(await list(store), ["p/e other", "p/f strong", "p/e strong,weak"]);
        assert.equal(await store.artifacts.count(""), 3);
        const found = await store.artifacts.find("", { project: "p", element: "e", key: "weak" });
        assert.ok(found);
        assert.deepEqual(
          [found.keys, found.by, found.pushed, found.generation],
          [["strong", "weak"], "alice", 10, "2.x"],
        );
        assert.deepEqual(found.content, contentOf("one"));
        const { ref, used, expires, pinned } = found;
        assert.deepEqual([used, expires, pinned], [10, undefined, false]);
        assert.deepEqual(
          [ref.name, Buffer.from(ref.message).toString(), ref.by, ref.used],
          ["blob\np/e/strong", "p/e/strong", "alice", 10],
        );
        assert.equal(await store.artifacts.find("", { project: "p", element: "e", key: "none" }), undefined);
        assert.equal(await store.artifacts.find("x", { project: "p", element: "e", key: "weak" }), undefined);
      }));

    it("follows a key to another content, and forgets an artifact with its last key", () =>
      withStore(async (store) => {
        await store.put([artifactRef("p/e/s1", "one", 10), artifactRef("p/e/weak", "one", 10)]);
        await store.put([artifactRef("p/e/s2", "two", 20), artifactRef("p/e/weak", "two", 20)]);
        assert.deepEqual(await list(store), ["p/e s2,weak", "p/e s1"]);
        await store.put([artifactRef("p/e/s1", "three", 30, { by: "bob" })]);
        assert.deepEqual(await list(store), ["p/e s1", "p/e s2,weak"]);
        await store.put([artifactRef("p/e/s1", "three", 40, { artifact: undefined })]);
        assert.deepEqual(await list(store), ["p/e s2,weak"]);
        await store.remove({ space: "asset", instance: "", name: "blob\np/e/s2" });
        assert.deepEqual(await list(store), ["p/e weak"]);
        await store.remove({ space: "asset", instance: "", name: "blob\np/e/weak" });
        assert.deepEqual(await list(store), []);
        await store.put([artifactRef("p/e/again", "one", 50)]);
        assert.deepEqual(await list(store), ["p/e again"]);
      }));

    it("names the strong key first however often the weak one was put before", () =>
      withStore(async (store) => {
        for (const n of [1, 2, 3]) {
          await store.put([artifactRef(`p/e/s${n}`, `${n}`, n), artifactRef("p/e/weak", `${n}`, n)]);
        }
        assert.deepEqual(await list(store), ["p/e s3,weak", "p/e s2", "p/e s1"]);
      }));

    it("keeps instances and generations apart, and finds of two the one pushed last", () =>
      withStore(async (store) => {
        const old = artifactRef("p/e/k", "one", 10);
        const older = { ...old, space: "reference" as const, stored: 5 };
        await store.put([
          old,
          { ...older, artifact: { ...(old.artifact as ArtifactEntry), generation: "1.9x" } },
          artifactRef("p/e/k", "one", 10, { instance: "x" }),
        ]);
        assert.deepEqual(await list(store), ["p/e k", "p/e k"]);
        assert.deepEqual(await list(store, { instance: "x" }), ["p/e k"]);
        const found = await store.artifacts.find("", { project: "p", element: "e", key: "k" });
        assert.equal(found?.generation, "2.x");
      }));

    it("does not show what has expired", () =>
      withStore(async (store, setTime) => {
        await store.put([artifactRef("p/e/k", "one", 10, { expires: 5000 })]);
        setTime(4999);
        assert.deepEqual(await list(store), ["p/e k"]);
        setTime(5000);
        assert.deepEqual(await list(store), []);
        assert.equal(await store.artifacts.find("", { project: "p", element: "e", key: "k" }), undefined);
      }));

    it("lists an artifact for as long as any of its refs is good, by that one", () =>
      withStore(async (store, setTime) => {
        const find = (key: string) => store.artifacts.find("", { project: "p", element: "e", key });
        await store.put([artifactRef("p/e/k1", "one", 10)]);
        await store.put([artifactRef("p/e/k2", "one", 10, { expires: 5000 })]);
        await store.put([artifactRef("p/e/k3", "two", 9, { expires: 5000 })]);
        await store.put([artifactRef("p/e/k4", "two", 9, { expires: 6000 })]);
        assert.deepEqual(await list(store), ["p/e k1,k2", "p/e k3,k4"]);
        assert.deepEqual([(await find("k2"))?.expires, (await find("k4"))?.expires], [undefined, 6000]);
        setTime(5000);
        assert.deepEqual(await list(store), ["p/e k1", "p/e k4"]);
        assert.deepEqual(await list(store, { key: "k3" }), []);
        assert.deepEqual(await list(store, { search: { texts: [], key: "k2" } }), []);
        assert.deepEqual(
          [(await find("k1"))?.keys, await find("k2"), await find("k3")],
          [["k1"], undefined, undefined],
        );
        assert.equal((await find("k4"))?.expires, 6000);
        await store.put([artifactRef("p/e/k1", "one", 10, { expires: 5500 })]);
        setTime(5500);
        assert.deepEqual(await list(store), ["p/e k4"]);
        await store.put([artifactRef("p/e/k4", "two", 9)]);
        setTime(6000);
        assert.deepEqual(await list(store), ["p/e k4"]);
      }));

    it("tells of the ref put last that is still there", () =>
      withStore(async (store, setTime) => {
        const found = async () => {
          const artifact = await store.artifacts.find("", { project: "p", element: "e", key: "k1" });
          return [artifact?.pushed, artifact?.by, artifact?.expires];
        };
        await store.put([artifactRef("p/e/k1", "one", 10, { by: "alice", expires: 7000 })]);
        await store.put([artifactRef("p/e/k2", "one", 20, { by: "bob" })]);
        await store.put([artifactRef("p/e/k3", "one", 5, { by: "eve", expires: 6000 })]);
        assert.deepEqual(await found(), [20, "bob", undefined]);
        await store.remove({ space: "asset", instance: "", name: "blob\np/e/k2" });
        assert.deepEqual(await found(), [10, "alice", 7000]);
        await store.put([artifactRef("p/e/k3", "two", 30, { by: "eve" })]);
        assert.deepEqual(await found(), [10, "alice", 7000]);
        setTime(7000);
        assert.deepEqual(await list(store), ["p/e k3"]);
      }));

    it("tells of no more than some keys of one artifact", () =>
      withStore(async (store) => {
        const names = Array.from({ length: maxKeys + 1 }, (_, i) => `p/e/k${String(i).padStart(2, "0")}`);
        await store.put(names.slice(1).map((name) => artifactRef(name, "one", 10)));
        const [before] = await store.artifacts.list(everything);
        assert.deepEqual([before?.keys.length, before?.moreKeys], [maxKeys, false]);
        await store.put([artifactRef(names[0] ?? "", "one", 11)]);
        const [listed] = await store.artifacts.list(everything);
        const found = await store.artifacts.find("", { project: "p", element: "e", key: "k00" });
        for (const each of [listed, found]) {
          assert.deepEqual([each?.keys, each?.moreKeys], [names.slice(1).map((name) => name.slice(4)), true]);
        }
      }));

    it("knows the project that has an element with a whole key", () =>
      withStore(async (store) => {
        await store.put([artifactRef("p/e/12345678a", "one", 10), artifactRef("q/e/12345678a", "two", 20)]);
        await store.put([artifactRef("q/e/expired", "three", 20, { expires: 900 })]);
        const asked = [
          { element: "e", key: "12345678a" },
          { project: "p", element: "e", key: "12345678a" },
          { element: "e", key: "1" },
          { element: "e", key: "12345678" },
          { element: "f", key: "12345678a" },
          { element: "e", key: "expired" },
        ];
        const found = await Promise.all(asked.map((name) => store.artifacts.projectOf("", name)));
        assert.deepEqual(found, ["q", "p", undefined, undefined, undefined, undefined]);
        assert.equal(await store.artifacts.projectOf("x", { element: "e", key: "12345678a" }), undefined);
      }));

    it("does not list what no project, element or key can be called, and keeps it all the same", () =>
      withStore(async (store) => {
        const long = "n".repeat(256);
        for (const name of [`${long}/e/k`, `p/${long}/k`, `p/e/${long}`]) {
          await store.put([artifactRef(name, "one", 10)]);
          assert.ok(await store.get({ space: "asset", instance: "", name: `blob\n${name}` }));
        }
        await store.put([artifactRef(`p/${long.slice(1)}/k`, "one", 10)]);
        assert.deepEqual(await list(store), [`p/${long.slice(1)} k`]);
      }));

    const library = [
      "os/base/aa01", "os/base-lib/aa02", "os/app/bb01", "fw/base/bb02", "fw/lib[1]/cc01", "fw/100%_x/cc02", "ü/ä/dd01",
    ]; // biome-ignore format: a table
    const searches: [what: string, query: Partial<ArtifactQuery>, found: string[]][] = [
      ["a project", { project: "os" }, ["app bb01", "base-lib aa02", "base aa01"]],
      ["a glob of projects", { project: "?w" }, ["100%_x cc02", "lib[1] cc01", "base bb02"]],
      ["an element", { elements: ["base"] }, ["base bb02", "base aa01"]],
      ["one of two elements", { elements: ["app", "ä"] }, ["ä dd01", "app bb01"]],
      ["a glob of elements", { project: "os", elements: ["base*"] }, ["base-lib aa02", "base aa01"]],
      ["brackets that are no class", { elements: ["lib[1]*"] }, ["lib[1] cc01"]],
      ["the beginning of a key", { key: "bb" }, ["base bb02", "app bb01"]],
      ["a whole key", { key: "bb02" }, ["base bb02"]],
      ["no key like it", { key: "bb03" }, []],
      ["key and project", { key: "bb", project: "fw" }, ["base bb02"]],
      ["a part of the name in any case", { search: { texts: ["S/BASE"], key: undefined } }, ["base-lib aa02", "base aa01"]],
      ["what LIKE would take for wildcards", { search: { texts: ["%_"], key: undefined } }, ["100%_x cc02"]],
      ["wildcards", { search: { texts: ["f?/*b"], key: undefined } }, ["lib[1] cc01", "base bb02"]],
      ["text or key", { search: { texts: ["app", "100"], key: "aa" } }, ["100%_x cc02", "app bb01", "base-lib aa02", "base aa01"]],
      ["nothing at all", { search: { texts: [], key: undefined } }, []],
    ]; // biome-ignore format: a table
    for (const [what, query, found] of searches) {
      it(`finds by ${what}`, () =>
        withStore(async (store) => {
          await store.put(library.map((name, i) => artifactRef(name, name, i)));
          for (const sort of ["newest", "oldest", "name"] as const) {
            const listed = (await list(store, { ...query, sort })).map((name) => name.replace(/^.*?\//, ""));
            assert.deepEqual(
              sort === "oldest" ? listed.reverse() : sort === "name" ? listed.sort() : listed,
              sort === "name" ? found.sort() : found,
            );
          }
        }));
    }

    it("gives every artifact once, page by page, in each order", async () => {
      const entry = fc.record({
        name: fc.tuple(fc.constantFrom("p", "q", "ü"), fc.constantFrom("a", "b", "😀"), fc.constantFrom("1", "2", "3")),
        content: fc.constantFrom("x", "y"),
        stored: fc.integer({ min: 1, max: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(entry, { maxLength: 25 }), fc.integer({ min: 1, max: 4 }), (entries, limit) =>
          withStore(async (store) => {
            await store.put(entries.map(({ name, content, stored }) => artifactRef(name.join("/"), content, stored)));
            const whole = await store.artifacts.list({ ...everything, sort: "oldest" });
            assert.deepEqual(
              whole.toSorted((a, b) => a.pushed - b.pushed || a.id - b.id),
              whole,
            );
            for (const sort of ["newest", "oldest", "name"] as const) {
              const paged = await pages(store, sort, limit);
              assert.deepEqual(paged, await store.artifacts.list({ ...everything, sort }));
              assert.deepEqual(new Set(paged.map(({ id }) => id)), new Set(whole.map(({ id }) => id)));
            }
          }),
        ),
        { numRuns: 25 },
      );
    });
  });
}

async function pages(store: RefStore, sort: ArtifactSort, limit: number): Promise<ListedArtifact[]> {
  const all: ListedArtifact[] = [];
  for (;;) {
    const page = await store.artifacts.list({ ...everything, sort, limit, after: all.at(-1) });
    all.push(...page);
    if (page.length < limit) return all;
  }
}
