import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { sameDigest } from "../../src/base/digest.ts";
import { openArtifactTar } from "../../src/client/local/open-artifact-tar.ts";
import { type LocalCache, openLocalCache } from "../../src/client/local/open-local-cache.ts";
import type { Place } from "../../src/client/place.ts";
import { artifacts, blobs, fill } from "./local-cache-change.ts";
import { randomBlob, temporaryDirectory } from "./store-blobs.ts";

const { signal } = new AbortController();
const writer = join(import.meta.dirname, "local-cache-writer.ts");
const digests = blobs.map(({ digest }) => digest);

async function filesBelow(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Every object is what its name says, in the mode of its cache, and every name leads to an artifact that is whole. Gives the number of names. */
async function verify(cache: LocalCache): Promise<number> {
  for (const [folder, mode] of [
    ["cas", 0o444],
    ["artifacts/cas", 0o644],
  ] as const) {
    for (const path of await filesBelow(join(cache.directory, folder, "objects"))) {
      const hash = createHash("sha256").update(await readFile(path));
      assert.equal(path.slice(-65).replace("/", ""), hash.digest("hex"));
      assert.equal((await stat(path)).mode & 0o777, mode);
    }
  }
  for (const folder of ["artifacts/refs", "artifacts/cas/refs/heads"]) {
    for (const path of await filesBelow(join(cache.directory, folder))) assert.match(basename(path), /^[0-9a-f]{64}$/);
  }
  return wholeNames(cache);
}

async function wholeNames(place: Place): Promise<number> {
  let names = 0;
  for (const { project, element, keys, generation, content } of artifacts) {
    for (const key of keys) {
      const found = await place.index?.find({ project, element, keys: [key], generation }, signal);
      if (found === undefined) continue;
      assert.ok(sameDigest(found.content, content));
      assert.deepEqual(await place.blobsFor?.(generation).missing(digests, signal), []);
      names++;
    }
  }
  return names;
}

/** A small file system in memory; `undefined` where none can be mounted. */
function mounted(directory: string): (Disposable & { path: string; remount(options: string): void }) | undefined {
  const path = join(directory, "disk");
  mkdirSync(path);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", path]).status !== 0) return undefined;
  return {
    path,
    remount: (options) => execFileSync("mount", ["-o", `remount,${options}`, path]),
    [Symbol.dispose]: () => execFileSync("umount", [path]),
  };
}

describe("the local cache", () => {
  it("is whole wherever its writer is killed, and is gone on with", { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory();
    const run = (name: string, step: number) => {
      const path = join(directory.path, name);
      mkdirSync(path, { recursive: true });
      const {
        signal: killed,
        stdout,
        stderr,
      } = spawnSync(process.execPath, [writer, path, `${step}`], { encoding: "utf8" });
      assert.equal(stderr, "");
      return { path, killed: killed === "SIGKILL", said: stdout };
    };
    const steps = Number(run("whole", -1).said);
    assert.ok(steps > 150, `${steps} steps`);
    const moments = 12;
    const seen = new Set<number>();
    for (let moment = 0; moment < moments; moment++) {
      const step = Math.floor((steps * moment) / moments);
      const { path, killed } = run(`killed-${moment}`, step);
      assert.ok(killed, `step ${step}`);
      const cache = await openLocalCache(path);
      seen.add(await verify(cache));
      const file = join(path, "artifacts.tar");
      if (existsSync(file)) {
        await using tar = await openArtifactTar(file, "read");
        assert.equal(await wholeNames(tar), 4);
      }
      await fill(cache);
      assert.equal(await verify(cache), 4);
      for (const { digest, bytes } of blobs) {
        const read: Uint8Array[] = [];
        for await (const piece of cache.blobs.read(digest, 0, signal)) read.push(Uint8Array.from(piece));
        assert.ok(Buffer.concat(read).equals(bytes));
      }
      {
        await using tar = await openArtifactTar(file, "write");
        await fill(tar);
      }
      await using tar = await openArtifactTar(file, "read");
      assert.equal(await wholeNames(tar), 4);
    }
    assert.ok(seen.has(0) && seen.has(2) && seen.has(4), [...seen].join());
  });

  it("says that the disk is full, and keeps what is whole", async (t) => {
    await using directory = await temporaryDirectory();
    using disk = mounted(directory.path);
    if (disk === undefined) return t.skip("no file system can be mounted here");
    const cache = await openLocalCache(join(disk.path, "cache"));
    const kept = Array.from({ length: 400 }, () => randomBlob(4000));
    const full = { code: "exhausted", message: /the disk is full \(ENOSPC\)/ };
    await assert.rejects(cache.blobs.writeMany(kept, signal), full);
    const large = randomBlob(900_000);
    await assert.rejects(
      cache.blobs.write(large.digest, () => oneByOne(large.bytes), signal),
      full,
    );
    assert.equal(await verify(cache), 0);
    const missing = await cache.blobs.missing(
      kept.map(({ digest }) => digest),
      signal,
    );
    assert.ok(missing.length > 0 && missing.length < 250, `${missing.length} are missing`);
    await using tar = await openArtifactTar(join(disk.path, "x.tar"), "write");
    await assert.rejects(tar.blobs.writeMany([large], signal), full);
    disk.remount("size=4m");
    await cache.blobs.writeMany(kept, signal);
    await cache.blobs.write(large.digest, (from) => oneByOne(large.bytes.subarray(from)), signal);
    await verify(cache);
  });

  it("keeps what had come of a large blob when the disk is full, and what a killed writer left only as long as there is room", async (t) => {
    await using directory = await temporaryDirectory();
    using disk = mounted(directory.path);
    if (disk === undefined) return t.skip("no file system can be mounted here");
    disk.remount("size=5m");
    const cache = await openLocalCache(disk.path);
    const incoming = join(disk.path, "cas/stillage");
    const { digest, bytes } = randomBlob(8 << 20);
    const asked: number[] = [];
    const content = (from: number) => {
      asked.push(from);
      return oneByOne(bytes.subarray(from));
    };
    await assert.rejects(cache.blobs.write(digest, content, signal), { code: "exhausted" });
    const part = join(incoming, `${digest.hash}-${digest.size}.part`);
    assert.ok((await stat(part)).size > 3 << 20);
    disk.remount("size=14m");
    await cache.blobs.write(digest, content, signal);
    assert.ok(asked.length === 2 && (asked[1] ?? 0) > 3 << 20, asked.join());
    await verify(cache);

    const later = randomBlob(4 << 20);
    const left = join(incoming, `${later.digest.hash}-${later.digest.size}.4711-aaaaaaaaaaaa.part`);
    await writeFile(left, later.bytes.subarray(0, 3 << 20));
    await utimes(left, 0, 0);
    await cache.blobs.write(later.digest, (from) => oneByOne(later.bytes.subarray(from)), signal);
    assert.deepEqual([await verify(cache), existsSync(left)], [0, false]);
  });

  it("is read where it cannot be written", async (t) => {
    await using directory = await temporaryDirectory();
    using disk = mounted(directory.path);
    if (disk === undefined) return t.skip("no file system can be mounted here");
    disk.remount("size=9m");
    await fill(await openLocalCache(disk.path));
    disk.remount("ro");
    const cache = await openLocalCache(disk.path);
    assert.equal(cache.writable, false);
    assert.equal(await verify(cache), 4);
    const { digest, bytes } = randomBlob(100);
    const forbidden = { code: "forbidden", hint: /read-only/ };
    await assert.rejects(cache.blobs.writeMany([{ digest, bytes }], signal), forbidden);
    await assert.rejects(
      cache.blobs.write(digest, () => oneByOne(bytes), signal),
      forbidden,
    );
    for (const artifact of artifacts) await assert.rejects(cache.remove(artifact), forbidden);
  });
});

async function* oneByOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}
