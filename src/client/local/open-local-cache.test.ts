import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { keyOf } from "../../artifact/artifact.fixture.ts";
import { type Digest, emptyDigest, sameDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { holdFolder, memoryPlace } from "../transfer/memory-place.fixture.ts";
import {
  artifact,
  blobOf,
  contentOf,
  freshDirectory,
  givesPiecesAway,
  listed,
  piecesOf,
  readAll,
  refusesOtherBytes,
  signal,
  textBlob,
  whole,
} from "./local-place.fixture.ts";
import { type LocalCache, openLocalCache } from "./open-local-cache.ts";

/** A cache in a directory of its own, which goes with it. */
async function freshCache(): Promise<LocalCache> {
  const own = new AsyncDisposableStack();
  const { path } = own.use(await freshDirectory());
  const cache = own.use(await openLocalCache(path));
  return { ...cache, [Symbol.asyncDispose]: () => own.disposeAsync() };
}

const pathIn = (cache: LocalCache, { hash }: Digest): string =>
  join(cache.directory, "cas/objects", hash.slice(0, 2), hash.slice(2));

/** What writers have left; their folders stay until the cache is closed. */
async function filesLeft({ directory }: LocalCache): Promise<string[]> {
  const entries = await readdir(join(directory, "cas/stillage"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe("blobs of the local cache", () => {
  it("come back as they were written, small and large, from any offset", async () => {
    await using cache = await freshCache();
    const contents = fc.uniqueArray(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20, selector: String });
    await fc.assert(
      fc.asyncProperty(contents, fc.nat(3000), fc.integer({ min: 1, max: 999 }), async (all, offset, size) => {
        const blobs = all.map(blobOf);
        await cache.blobs.writeMany(blobs, signal);
        await cache.blobs.flush();
        const digests = blobs.map(({ digest }) => digest);
        assert.deepEqual(await cache.blobs.missing(digests, signal), []);
        const { found, missing } = await readAll(cache.blobs, digests);
        assert.deepEqual(missing, []);
        for (const { digest, bytes } of blobs) assert.ok(found.get(digest.hash)?.equals(bytes));
        for (const bytes of all.slice(0, 2)) {
          const { digest, bytes: streamed } = blobOf(Buffer.concat([bytes, Buffer.from("streamed")]));
          await cache.blobs.write(digest, (from) => piecesOf(streamed, size, from), signal);
          const from = Math.min(offset, digest.size);
          assert.ok((await whole(cache.blobs.read(digest, from, signal))).equals(streamed.subarray(from)));
        }
      }),
      { numRuns: 12 },
    );
  });

  it("are missed among many as among few", async () => {
    await using cache = await freshCache();
    const blobs = Array.from({ length: 1100 }, (_, i) => textBlob(`${i}`));
    const digests = blobs.map(({ digest }) => digest);
    assert.deepEqual(await cache.blobs.missing([...digests, ...digests], signal), digests);
    const some = blobs.filter((_, i) => i % 40 === 0);
    await cache.blobs.writeMany(some, signal);
    const there = new Set(some.map(({ digest }) => digest));
    const missing = await cache.blobs.missing(digests, signal);
    assert.deepEqual(
      missing,
      digests.filter((digest) => !there.has(digest)),
    );
    assert.deepEqual(await cache.blobs.missing(digests.slice(0, 41), signal), missing.slice(0, 39));
  });

  it("are written by threads where they are many", async () => {
    await using cache = await freshCache();
    const blobs = Array.from({ length: 450 }, (_, i) => textBlob(`blob ${i} `.repeat(i % 50)));
    const digests = blobs.map(({ digest }) => digest);
    const groups = [blobs.slice(0, 220), blobs.slice(220)];
    await Promise.all(groups.map((group) => cache.blobs.writeMany(group, signal)));
    await cache.blobs.flush();
    assert.deepEqual((await readAll(cache.blobs, digests)).missing, []);
    const [first, ...others] = Array.from({ length: 220 }, (_, i) => textBlob(`another ${i} `));
    assert.ok(first && others[0]);
    const wrong = { digest: first.digest, bytes: first.bytes.toReversed() };
    const writing = cache.blobs.writeMany([...others, wrong], signal);
    await assert.rejects(writing, { code: "corrupt", message: new RegExp(first.digest.hash) });
    const none = [first.digest, others[0].digest];
    assert.deepEqual(await cache.blobs.missing(none, signal), none);
    assert.deepEqual(await filesLeft(cache), []);
  });

  it("are written although somebody has taken a writer's folder away", async () => {
    await using cache = await freshCache();
    const [first, second] = [textBlob("first"), textBlob("second")];
    await cache.blobs.writeMany([first], signal);
    for (const name of await readdir(join(cache.directory, "cas/stillage"))) {
      await rm(join(cache.directory, "cas/stillage", name), { recursive: true });
    }
    await cache.blobs.writeMany([second], signal);
    assert.deepEqual((await readAll(cache.blobs, [first.digest, second.digest])).missing, []);
  });

  it("that somebody else has just written are on the disk after a flush as well", async () => {
    await using writer = await freshCache();
    await using later = await openLocalCache(writer.directory);
    const synced = join(writer.directory, "synced");
    const program = join(writer.directory, "sync");
    await writeFile(program, `#!/bin/sh\necho "$@" >> ${synced}\n`, { mode: 0o755 });
    const blobs = Array.from({ length: 70 }, (_, i) => textBlob(`young ${i}`));
    const digests = blobs.map(({ digest }) => digest);
    // As after a kill: the names are there, and nobody has waited for the disk.
    await writer.blobs.writeMany(blobs, signal);
    const path = process.env.PATH;
    process.env.PATH = `${writer.directory}:${path}`;
    try {
      assert.deepEqual(await later.blobs.missing(digests, signal), []);
      await later.blobs.flush();
    } finally {
      process.env.PATH = path;
    }
    assert.equal(await readFile(synced, "utf8"), `-f ${join(writer.directory, "cas/objects")}\n`);
  });

  it("of BuildStream 1 lie in its own directory, wherever that is", async () => {
    await using cache = await freshCache();
    const artifacts = join(cache.directory, "elsewhere");
    const at = await openLocalCache(cache.directory, artifacts);
    const { digest, bytes } = textBlob("old");
    await at.blobsFor("1.x").writeMany([{ digest, bytes }], signal);
    assert.equal(at.objectPath(digest), join(artifacts, "cas/objects", digest.hash.slice(0, 2), digest.hash.slice(2)));
    assert.deepEqual((await readAll(at.blobs, [digest])).missing, []);
    assert.deepEqual((await readAll(cache.blobs, [digest])).missing, [digest]);
  });

  it("lie as casd has them", async () => {
    await using cache = await freshCache();
    const before = process.umask(0o077);
    try {
      const [small, large] = [textBlob("small"), textBlob("large")];
      await cache.blobs.writeMany([small], signal);
      await cache.blobs.write(large.digest, (from) => piecesOf(large.bytes, 2, from), signal);
      for (const { digest } of [small, large]) {
        assert.equal((await stat(pathIn(cache, digest))).mode & 0o777, 0o444);
      }
    } finally {
      process.umask(before);
    }
    assert.deepEqual(await filesLeft(cache), []);
    assert.equal((await stat(pathIn(cache, emptyDigest(sha256)))).size, 0);
  });

  it("are given in pieces that nobody writes to any more", async () => {
    await using cache = await freshCache();
    await givesPiecesAway(cache.blobs);
  });

  it("are taken only where they are what they are called", async () => {
    await using cache = await freshCache();
    await refusesOtherBytes(cache.blobs);
  });

  it("are gone on with where they broke off", async () => {
    await using cache = await freshCache();
    const { digest, bytes } = blobOf(Buffer.alloc(100_000, "abc"));
    const breaking = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 60_000);
      throw new Error("the line is dead");
    };
    await assert.rejects(cache.blobs.write(digest, breaking, signal), /the line is dead/);
    const asked: number[] = [];
    const content = (from: number) => {
      asked.push(from);
      return piecesOf(bytes, 7000, from);
    };
    await cache.blobs.write(digest, content, signal);
    assert.deepEqual(asked, [60_000]);
    assert.ok((await whole(cache.blobs.read(digest, 0, signal))).equals(bytes));
  });

  it("come again from the beginning where what had come is wrong", async () => {
    await using cache = await freshCache();
    const { digest, bytes } = blobOf(Buffer.alloc(1000, "abc"));
    const incoming = join(cache.directory, "cas/stillage");
    await mkdir(incoming, { recursive: true });
    for (const left of [bytes.subarray(0, 500).toReversed(), Buffer.alloc(5000)]) {
      await writeFile(join(incoming, `${digest.hash}-1000.part`), left);
      await cache.blobs.write(digest, (from) => piecesOf(bytes, 70, from), signal);
      assert.ok((await whole(cache.blobs.read(digest, 0, signal))).equals(bytes));
      await rm(pathIn(cache, digest));
    }
  });

  it("of a writer that was killed are taken once it has been silent", async () => {
    await using cache = await freshCache();
    const { digest, bytes } = blobOf(Buffer.alloc(1000, "abc"));
    const left = join(cache.directory, `cas/stillage/${digest.hash}-1000.4711-affe.part`);
    await mkdir(dirname(left), { recursive: true });
    const offsets: number[] = [];
    const content = (from: number) => {
      offsets.push(from);
      return piecesOf(bytes, 70, from);
    };
    for (const age of [0, 120]) {
      await writeFile(left, bytes.subarray(0, 400));
      const then = Date.now() / 1000 - age;
      await utimes(left, then, then);
      await cache.blobs.write(digest, content, signal);
      await rm(pathIn(cache, digest));
    }
    assert.deepEqual(offsets, [0, 400]);
    assert.equal(existsSync(left), false);
  });

  it("that are damaged are missing, and healed by what comes next", async () => {
    await using cache = await freshCache();
    const [cut, changed, streamed] = ["cut short", "changed", "changed as it is streamed"].map(textBlob);
    assert.ok(cut && changed && streamed);
    const digests = [cut, changed, streamed].map(({ digest }) => digest);
    await cache.blobs.writeMany([cut, changed, streamed], signal);
    for (const { digest, bytes } of [cut, changed, streamed]) {
      const path = pathIn(cache, digest);
      await chmod(path, 0o644);
      await writeFile(path, bytes.toReversed());
    }
    await truncate(pathIn(cache, cut.digest), 3);
    await assert.rejects(whole(cache.blobs.read(streamed.digest, 0, signal)), { code: "corrupt" });
    await assert.rejects(whole(cache.blobs.read(cut.digest, 0, signal)), { code: "not-found" });
    assert.deepEqual((await readAll(cache.blobs, digests)).missing, digests);
    assert.deepEqual(await cache.blobs.missing(digests, signal), digests);
    await cache.blobs.writeMany([cut, changed, streamed], signal);
    assert.equal((await readAll(cache.blobs, digests)).found.size, 3);
  });

  it("of BuildStream 1 are apart, and read together", async () => {
    await using cache = await freshCache();
    const [old, young] = [textBlob("old"), textBlob("young")];
    const of1 = cache.blobsFor("1.x");
    await of1.writeMany([old], signal);
    await cache.blobsFor("1.9x").writeMany([young], signal);
    const digests = [old.digest, young.digest];
    for (const blobs of [of1, cache.blobs]) assert.deepEqual((await readAll(blobs, digests)).missing, []);
    assert.deepEqual(await of1.missing(digests, signal), [young.digest]);
    assert.deepEqual(await cache.blobs.missing(digests, signal), [old.digest]);
    assert.match(cache.objectPath(old.digest) ?? "", /\/artifacts\/cas\/objects\//);
    assert.equal((await stat(cache.objectPath(old.digest) as string)).mode & 0o777, 0o644);
    assert.throws(() => cache.blobsFor("1.0"), { code: "unsupported" });
  });
});

describe("artifacts of the local cache", () => {
  it("are found by each of their keys, and listed once", async () => {
    await using cache = await freshCache();
    const named = await artifact({ strictKey: keyOf("3") });
    assert.equal(await cache.index.publish(named, contentOf(named), signal), "published");
    assert.equal(await cache.index.publish(named, contentOf(named), signal), "present");
    for (const digit of ["1", "2", "3"]) {
      const keys = [keyOf("9"), keyOf(digit)];
      const found = await cache.index.find({ project: "os", element: "app", keys }, signal);
      assert.ok(found && sameDigest(found.content, named.content));
      assert.deepEqual(found.keys.slice(0, 2), named.keys);
      // What was built here is no blob, and is read as one.
      assert.deepEqual((await readAll(cache.blobs, [found.content])).missing, []);
      assert.ok(
        (await whole(cache.blobs.read(found.content, 3, signal))).equals((named.message as Buffer).subarray(3)),
      );
    }
    assert.equal(await cache.index.find({ project: "os", element: "app", keys: [keyOf("9")] }, signal), undefined);
    assert.deepEqual(await listed(cache, "*", "*", "*"), ["os/app 123 2.x"]);
    assert.deepEqual(await listed(cache, "os", "a?p", "11"), ["os/app 12 2.x"]);
    assert.deepEqual(await listed(cache, "os", "app", keyOf("2")), ["os/app 12 2.x"]);
    assert.deepEqual(await listed(cache, "o", "*", "*"), []);
  });

  it("of each generation are told apart", async () => {
    await using cache = await freshCache();
    const named = await artifact();
    const middle = await artifact({ version: 0 });
    const of19: IndexedArtifact = { ...middle, element: "middle", generation: "1.9x" };
    const of1: IndexedArtifact = { ...named, element: "old", generation: "1.x", message: undefined };
    for (const each of [named, of19, of1]) await cache.index.publish(each, contentOf(named), signal);
    assert.deepEqual(await listed(cache, "os", "*", ""), ["os/app 12 2.x", "os/middle 12 1.9x", "os/old 12 1.x"]);
    const question = { project: "os", element: "old", keys: [keyOf("2")] };
    const found = await cache.index.find({ ...question, generation: "1.x" }, signal);
    assert.deepEqual([found?.message, found?.content.hash], [undefined, named.content.hash]);
    assert.equal(await cache.index.find({ ...question, generation: "2.x" }, signal), undefined);
    const commit = { ...of1, generation: "1.0" as const };
    await assert.rejects(cache.index.publish(commit, contentOf(named), signal), { code: "unsupported" });
  });

  it("of BuildStream 1 have the key first that a file in them calls the strong one", async () => {
    await using cache = await freshCache();
    const made = memoryPlace();
    const meta = { "keys.yaml": `strong: ${keyOf("7")}\nweak: ${keyOf("4")}\n` };
    const content = holdFolder(made, { files: {}, meta });
    const blobs = [...made.held.values()].map(blobOf);
    const of1 = cache.blobsFor("1.x");
    await of1.writeMany(blobs, signal);
    const keys = [keyOf("4"), keyOf("7")];
    const old: IndexedArtifact = { ...(await artifact()), keys, generation: "1.x", content, message: undefined };
    await cache.index.publish(
      old,
      { ...contentOf(await artifact()), keys: { strong: undefined, weak: undefined, strict: undefined } },
      signal,
    );
    assert.deepEqual(await listed(cache, "os", "*", ""), ["os/app 74 1.x"]);
    const question = { project: "os", element: "app", keys: [keyOf("4")] };
    assert.deepEqual((await cache.index.find(question, signal))?.keys, [keyOf("7"), keyOf("4")]);
  });

  it("are gone by every name once they are removed", async () => {
    await using cache = await freshCache();
    const [first, second] = [
      await artifact(),
      await artifact({ strongKey: keyOf("5"), weakKey: keyOf("2"), strictKey: keyOf("5") }),
    ];
    await cache.index.publish(first, contentOf(first), signal);
    await cache.index.publish({ ...second, keys: [keyOf("5")] }, contentOf(second), signal);
    assert.deepEqual(await listed(cache, "*", "*", "*"), ["os/app 12 2.x", "os/app 5 2.x"]);
    await cache.index.publish({ ...second, keys: [keyOf("5"), keyOf("2")] }, contentOf(second), signal);
    // The weak key leads to the one that was named by it last.
    const again = { ...first, keys: [keyOf("1")] };
    assert.equal(await cache.index.publish(again, contentOf(first), signal), "present");
    assert.equal(await cache.remove(first), 1);
    assert.deepEqual(await listed(cache, "*", "*", "*"), ["os/app 52 2.x"]);
    assert.equal(await cache.remove(second), 2);
    assert.equal(await cache.remove(second), 0);
    assert.deepEqual(await readdir(join(cache.directory, "artifacts/refs")), []);
  });

  it("have names that lead nowhere else", async () => {
    await using cache = await freshCache();
    const named = await artifact();
    await writeFile(join(cache.directory, keyOf("1")), named.message as Uint8Array);
    for (const [project, element, key] of [
      ["..", "..", keyOf("1")],
      ["os", "../..", keyOf("1")],
      [".", "", keyOf("1")],
      ["os", "a\0b", keyOf("1")],
      ["os", "a".repeat(300), keyOf("1")],
      ["os", "app", "../1"],
    ] as const) {
      assert.equal(await cache.index.find({ project, element, keys: [key] }, signal), undefined);
      assert.deepEqual(await listed(cache, project, element, key), []);
      const odd = { ...named, project, element, keys: [key] };
      await assert.rejects(cache.index.publish(odd, contentOf(named), signal), { code: "invalid" });
    }
  });

  it("leave nothing for good of a program that was killed as it named them", async () => {
    await using cache = await freshCache();
    const incoming = join(cache.directory, "artifacts/stillage");
    await mkdir(incoming, { recursive: true });
    const [killed, running] = ["ref-4711-affe-link", "ref-4712-affe"];
    for (const name of [killed, running, "another's"]) await writeFile(join(incoming, name), "");
    for (const name of [killed, "another's"]) await utimes(join(incoming, name), 1000, 1000);
    const named = await artifact();
    await cache.index.publish(named, contentOf(named), signal);
    assert.deepEqual(await readdir(incoming), ["another's", running]);
  });

  it("whose refs are damaged are not there", async () => {
    await using cache = await freshCache();
    const named = await artifact();
    await cache.index.publish(named, contentOf(named), signal);
    const folder = join(cache.directory, "artifacts/refs/os/app");
    for (const bytes of [Buffer.alloc(0), Buffer.from("no message"), (named.message as Uint8Array).subarray(0, 99)]) {
      for (const key of named.keys) await writeFile(join(folder, key), bytes);
      await writeFile(join(folder, "tmpx1y2"), named.message as Uint8Array);
      assert.equal(await cache.index.find({ ...named, keys: named.keys }, signal), undefined);
      assert.deepEqual(await listed(cache, "*", "*", "*"), []);
    }
    assert.equal(await cache.index.publish(named, contentOf(named), signal), "published");
  });

  it("are used where they are found, as they are by the real program", async () => {
    await using cache = await freshCache();
    const named = await artifact();
    await cache.index.publish(named, contentOf(named), signal);
    const ref = join(cache.directory, "artifacts/refs/os/app", keyOf("1"));
    await utimes(ref, 1000, 1000);
    const found = await cache.index.find({ ...named, keys: [keyOf("1")] }, signal);
    assert.equal(found?.record?.used, 1_000_000);
    assert.ok((await stat(ref)).mtimeMs > 1_000_000);
    assert.ok((await readFile(ref)).equals(named.message as Buffer));
  });
});
