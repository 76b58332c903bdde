import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha1, sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { putBlob, putDirectory } from "../cache/tree.fixture.ts";
import type { ListedRef } from "../store/ref-admin.ts";
import { hour, World } from "./world.fixture.ts";

const action = (key: string): string => `sha256/${digestOf(sha256, Buffer.from(key)).hash}`;
const names = (refs: readonly ListedRef[]): string[] => refs.map(({ name }) => name);

/** What each kind of ref keeps alive, and how it is pushed. */
const kinds: readonly [
  what: string,
  push: (world: World, key: string, text: string) => Promise<void>,
  contents: string[],
][] = [
  [
    "an artifact of BuildStream 2",
    (world, key, text) => world.pushArtifact(key, text),
    ["files", "buildtree", "public", "low", "high", "log"],
  ],
  [
    "an artifact of BuildStream 1.91",
    (world, key, text) => world.pushOldMessage(key, text),
    ["files", "buildtree", "sources", "public", "log"],
  ],
  [
    "an action result",
    (world, key, text) => world.pushResult(key, text),
    ["out", "in tree", "in directory", "printed"],
  ],
  ["an artifact of BuildStream 1.0", (world, key, text) => world.pushCommit(key, text), []],
  ["a source", (world, key, text) => world.pushSource(key, text), [""]],
  [
    "a directory",
    async (world, key, text) =>
      world.pushDirectory(
        `urn:fdc:buildstream.build:2020:v1:project/element/${key}`,
        await putDirectory(world.blobs, { a: { b: text } }),
      ),
    [""],
  ],
  [
    "an asset with references",
    async (world, key, text) => {
      const file = await putBlob(world.blobs, `${text} blob`);
      const directory = await putDirectory(world.blobs, { a: `${text} file` });
      await world.pushBlob(`https://example.com/${key}`, await putBlob(world.blobs, text), [
        { walk: "blob", digest: file },
        { walk: "directory", digest: directory },
      ]);
    },
    ["", "blob", "file"],
  ],
];

describe("a sweep", () => {
  for (const [what, push, contents] of kinds) {
    it(`keeps all of ${what}, and removes all of an older one`, async () => {
      const world = new World();
      await push(world, "kept", "kept");
      const [ref] = world.list();
      const bytes = world.blobs.usage().bytes;
      world.now += 24 * hour;
      await push(world, "gone", "gone");
      world.now += 24 * hour;
      world.refs.get(ref as ListedRef); // and its blobs were used before those of the other
      world.now += 24 * hour;
      const { evicted } = await world.sweep({}, bytes);
      assert.deepEqual(
        evicted.map(({ rule, refs }) => ({ rule, refs })),
        [{ rule: "quota", refs: 1 }],
      );
      assert.deepEqual(names(world.list()), [ref?.name]);
      assert.equal(world.blobs.usage().bytes, bytes);
      const text = (name: string, rest: string): string => (rest === "" ? name : `${name} ${rest}`);
      for (const rest of contents) {
        assert.ok(world.has(text("kept", rest)), rest);
        assert.ok(!world.has(text("gone", rest)), rest);
      }
      await world.sweep({}, 0);
      assert.deepEqual(world.census(), []);
      assert.deepEqual(world.list(), []);
    });
  }

  it("leaves everything where there is room", async () => {
    const world = new World();
    for (const [what, push] of kinds) await push(world, what.replaceAll(" ", "-"), what);
    await putBlob(world.blobs, "named by nobody");
    const before = [world.list(), world.census()];
    world.now += 10_000 * hour;
    const { evicted, removed } = await world.sweep({}, world.blobs.usage().bytes);
    assert.deepEqual([evicted, removed], [[], { blobs: 0, bytes: 0 }]);
    assert.deepEqual([world.list(), world.census()], before);
  });

  it("removes what was used last first, refs and blobs that nobody names alike", async () => {
    const world = new World();
    for (const i of [0, 1, 2, 3, 4, 5]) {
      if (i % 2 === 0) await putBlob(world.blobs, `blob ${i}`);
      else await world.pushBlob(`https://example.com/${i}`, await putBlob(world.blobs, `blob ${i}`));
      world.now += hour;
    }
    world.now += 10 * hour;
    await world.sweep({}, 21); // three of six bytes each do
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((i) => world.has(`blob ${i}`)),
      [false, false, false, true, true, true],
    );
    assert.deepEqual(names(world.list()), ["blob\nhttps://example.com/5", "blob\nhttps://example.com/3"]);
  });

  it("leaves what was used within the lease, and what is pinned, however little room there is", async () => {
    const world = new World();
    await world.pushResult("pinned", "pinned");
    await world.pushResult("old", "old");
    const name = { space: "action", instance: "", name: action("pinned") } as const;
    assert.ok(await world.refs.pin(name, true));
    world.now += 10 * hour;
    await world.pushResult("leased", "leased");
    await putBlob(world.blobs, "leased alone");
    world.now += 3 * hour;
    await world.sweep({}, 0);
    assert.deepEqual(names(world.list()), [action("leased"), action("pinned")]);
    for (const rest of ["out", "in tree", "in directory", "printed"]) {
      assert.deepEqual(
        ["pinned", "leased", "old"].map((each) => world.has(`${each} ${rest}`)),
        [true, true, false],
      );
    }
    assert.ok(world.has("leased alone"));
  });

  it("keeps a blob that was used as such when the ref that names it goes", async () => {
    const world = new World();
    const shared = await putBlob(world.blobs, "shared");
    await world.pushBlob("https://example.com/old", shared);
    world.now += 20 * hour;
    await putBlob(world.blobs, "shared");
    world.now += 3 * hour;
    await world.sweep({}, 0);
    assert.deepEqual([names(world.list()), world.has("shared")], [[], true]);
  });

  it("removes refs whose date has passed, with what only they keep", async () => {
    const world = new World();
    await world.pushBlob("https://example.com/a", await putBlob(world.blobs, "a"), [], world.now + hour);
    await world.pushBlob("https://example.com/b", await putBlob(world.blobs, "b"), [], world.now + 50 * hour);
    await putBlob(world.blobs, "c");
    world.now += 10 * hour;
    const { evicted } = await world.sweep();
    assert.deepEqual(evicted, [{ space: "asset", instance: "", rule: "expires", scope: "", refs: 1 }]);
    assert.deepEqual([world.has("a"), world.has("b"), world.has("c")], [false, true, true]);
  });

  it("removes what is older than it may get, refs by their space, and blobs that nobody names", async () => {
    const world = new World();
    await world.pushResult("result", "result");
    await world.pushBlob("https://example.com/a", await putBlob(world.blobs, "asset"));
    await putBlob(world.blobs, "alone");
    world.now += 100 * hour;
    const limit = { instance: undefined, space: "action", size: undefined, age: 50 * hour } as const;
    const { evicted } = await world.sweep({ maxAge: 200 * hour, limits: [limit] });
    assert.deepEqual(evicted, [{ space: "action", instance: "", rule: "age", scope: "space=action", refs: 1 }]);
    assert.deepEqual([world.has("result out"), world.has("asset"), world.has("alone")], [false, true, true]);
    world.now += 101 * hour;
    await world.sweep({ maxAge: 200 * hour });
    assert.deepEqual(world.census(), []);
  });

  it("keeps a space to its size, and leaves the rest", async () => {
    const world = new World();
    await world.pushBlob("https://example.com/a", await putBlob(world.blobs, "asset"));
    for (const i of [1, 2, 3, 4]) {
      world.now += hour;
      await world.pushResult(`${i}`, `${i}`);
    }
    world.now += 10 * hour;
    const one = (world.blobs.usage().bytes - 5) / 4;
    const limit = { instance: "", space: "action", size: Math.ceil(2.5 * one), age: undefined } as const;
    const { evicted } = await world.sweep({ limits: [limit] });
    assert.deepEqual(evicted, [
      { space: "action", instance: "", rule: "size", scope: "instance=,space=action", refs: 2 },
    ]);
    assert.deepEqual(names(world.list()), [action("4"), action("3"), "blob\nhttps://example.com/a"]);
    assert.ok(world.blobs.usage().bytes <= 2.5 * one + 5);
  });

  it("keeps an instance to its size", async () => {
    const world = new World();
    for (const i of [1, 2, 3, 4]) {
      world.now += hour;
      await world.pushResult(`${i}`, `${i}`);
    }
    world.now += 10 * hour;
    const size = Math.ceil(world.blobs.usage().bytes / 2);
    await world.sweep({ limits: [{ instance: undefined, space: undefined, size, age: undefined }] });
    assert.ok(world.blobs.usage().bytes <= size);
    assert.deepEqual(names(world.list()), [action("4"), action("3")]);
  });

  it("keeps a ref that is used, put or named anew while it runs, with all of it", async () => {
    const world = new World();
    for (const key of ["used", "again", "gone"]) await world.pushResult(key, key);
    await putBlob(world.blobs, "orphan");
    world.now += 10 * hour;
    const orphan = digestOf(sha256, Buffer.from("orphan"));
    let changed: Promise<unknown> = Promise.resolve();
    await world.sweep({}, 0, (point) => {
      if (point !== "sweep marked") return;
      world.refs.get({ space: "action", instance: "", name: action("used") });
      const roots = [{ walk: "blob", digest: digestOf(sha256, Buffer.from("again out")) }] as const;
      const ref = { instance: "", message: Buffer.from(""), stored: world.now, expires: undefined };
      changed = world.refs.put([
        { ...ref, space: "action", name: action("again"), roots },
        { ...ref, space: "asset", name: "blob\nnew", roots: [{ walk: "blob", digest: orphan }] },
      ]);
    });
    await changed;
    assert.deepEqual(names(world.list()).sort(), [action("used"), action("again"), "blob\nnew"].sort());
    for (const rest of ["out", "in tree", "in directory", "printed"]) assert.ok(world.has(`used ${rest}`), rest);
    assert.deepEqual(
      ["again out", "again printed", "gone out", "orphan"].map((each) => world.has(each)),
      [true, false, false, true],
    );
  });

  it("lets a ref whose date has passed go when its lease is over, with what it keeps", async () => {
    const world = new World();
    await world.pushBlob("https://example.com/a", await putBlob(world.blobs, "a"), [], world.now + hour);
    world.now += 2 * hour;
    assert.deepEqual((await world.sweep()).evicted, []);
    world.now += 3 * hour;
    const { evicted } = await world.sweep();
    assert.deepEqual([evicted.length, names(world.list()), world.has("a")], [1, [], false]);
  });

  it("ends a pin with the ref's own date", async () => {
    const world = new World();
    for (const [name, expires] of [["a", world.now + hour] as const, ["b", undefined] as const]) {
      await world.pushBlob(`https://example.com/${name}`, await putBlob(world.blobs, name), [], expires);
      assert.ok(
        await world.refs.pin({ space: "asset", instance: "", name: `blob\nhttps://example.com/${name}` }, true),
      );
    }
    world.now += 10 * hour;
    await world.sweep({}, 0);
    assert.deepEqual(names(world.list()), ["blob\nhttps://example.com/b"]);
    assert.deepEqual([world.has("a"), world.has("b")], [false, true]);
  });

  it("removes what refs left behind that went by themselves, once it was not used for a week", async () => {
    const world = new World();
    const limit = { instance: undefined, space: "action", size: undefined, age: 50 * hour } as const;
    await world.pushResult("result", "result");
    await putBlob(world.blobs, "alone");
    world.now += 100 * hour;
    const stopped = new Error("the process ends");
    const stop = (point: string): void => {
      if (point === "refs evicted") throw stopped;
    };
    await assert.rejects(world.sweep({ limits: [limit] }, undefined, stop), stopped);
    assert.deepEqual([names(world.list()), world.has("result out")], [[], true]);
    world.now += 60 * hour;
    await world.sweep({ limits: [limit] });
    assert.ok(world.has("result out"), "it may be as well what no ref ever named");
    world.now += 20 * hour;
    const long = { ...limit, age: 200 * hour };
    await world.sweep({ limits: [limit, long] });
    await world.sweep();
    assert.ok(world.has("result out"), "where refs do not go by themselves, or stay for longer, neither does it");
    await world.sweep({ limits: [limit] });
    assert.deepEqual(world.census(), []);
  });

  it("goes on where the disk does not give a directory, and keeps what may lie below it", async () => {
    const world = new World();
    await putBlob(world.blobs, "loose");
    await world.pushResult("old", "old");
    const unread = await putDirectory(world.blobs, { file: "below the unread one" });
    const root = await putDirectory(world.blobs, {
      a: { file: "below the unread one" },
      b: { file: "below another one" },
    });
    world.now += 10 * hour;
    await world.pushDirectory("urn:fdc:buildstream.build:2020:v1:project/element/kept", root);
    const ref = world.list()[0] as ListedRef;
    world.now += 10 * hour;
    const error = new StillageError("internal", "cannot read blobs: EIO");
    world.faults = {
      read: (digest) => {
        if (digest.hash === unread.hash) throw error;
      },
    };
    await world.pushResult("new", "new");
    world.now += 5 * hour;
    const bytes = world.blobs.usage().bytes;
    const report = await world.sweep({}, bytes - 1);
    assert.deepEqual(report.unread, [{ instance: "", digest: unread, error }]);
    assert.deepEqual([world.has("old out"), world.list().length], [false, 2], "what is older goes");
    for (const text of ["below the unread one", "below another one"]) assert.ok(world.has(text), text);
    world.refs.get(ref);
    await world.sweep({}, 0);
    assert.deepEqual(names(world.list()), [ref.name]);
    assert.ok(world.has("below the unread one") && world.has("loose"), "nobody knows that it is not below it");
    world.now += 10 * hour;
    await world.sweep({}, 0);
    await world.sweep({}, 0);
    assert.deepEqual(world.census(), []);
  });

  it("reads nothing where nothing can go", async () => {
    const world = new World();
    for (const [what, push] of kinds) await push(world, what.replaceAll(" ", "-"), what);
    world.now += 100 * hour;
    let read = 0;
    world.faults = { read: () => void read++ };
    const size = world.blobs.usage().bytes;
    const settings = { maxAge: 200 * hour, limits: [{ instance: "", space: undefined, size, age: undefined }] };
    await world.sweep(settings, size);
    assert.equal(read, 0);
    await world.sweep(settings, size - 1);
    assert.ok(read > 0);
  });

  it("removes what it can where a part fails, and compacts before it says so", async () => {
    const world = new World();
    await world.pushResult("old", "old");
    await putBlob(world.blobs, "loose");
    world.now += 10 * hour;
    const full = new StillageError("exhausted", "cannot write: the disk is full");
    const order = world.refs.order.bind(world.refs);
    world.refs.order = async () => {
      const opened = await order();
      opened.evict = () => Promise.reject(full);
      return opened;
    };
    await assert.rejects(world.sweep({}, 0), full);
    assert.deepEqual([world.compactions, world.has("old out"), world.has("loose")], [1, true, false]);
    world.refs.order = order;
    const other = digestOf(sha1, Buffer.from("of another function"));
    await world.blobs.put(other, Buffer.from("of another function"));
    world.now += 10 * hour;
    let fails = 1;
    world.faults = {
      remove: () => {
        if (fails-- > 0) throw full;
      },
    };
    await assert.rejects(world.sweep({}, 0), full);
    assert.equal(world.compactions, 2);
    const functions = new Set(world.census().map((digest) => digest.function));
    assert.equal(functions.size, 1, "those of one function have gone");
    world.blobs.census = () => {
      throw full;
    };
    await assert.rejects(world.sweep({}, 0), full);
    assert.equal(world.compactions, 3);
  });

  it("goes on where a clock that went ahead has noted uses, in their order", async () => {
    const world = new World();
    const right = world.now;
    world.now += 10_000 * hour;
    for (const i of [1, 2, 3]) {
      await world.pushResult(`${i}`, `${i}`);
      world.now += 10 * hour;
    }
    world.now = right;
    world.restart();
    const bytes = world.blobs.usage().bytes;
    await world.sweep({}, 0);
    assert.deepEqual(
      names(world.list()),
      [action("3")],
      "the last one is as if used just now, the others before its lease",
    );
    assert.ok(world.blobs.usage().bytes < bytes / 2);
    world.now += 10 * hour;
    await world.pushResult("4", "4");
    world.now += 3 * hour;
    await world.sweep({}, 0);
    assert.deepEqual(names(world.list()), [action("4")]);
  });
});
