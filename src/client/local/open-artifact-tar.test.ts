import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, readlink, rm, rmdir, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { keyOf } from "../../artifact/artifact.fixture.ts";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { tarHeader } from "../../base/tar/tar-writer.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { WholeBlob } from "../blob-place.ts";
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
import { openArtifactTar } from "./open-artifact-tar.ts";
import { openLocalCache } from "./open-local-cache.ts";

async function folder() {
  const directory = await freshDirectory();
  return { ...directory, file: join(directory.path, "artifacts.tar") };
}

async function write(file: string, artifacts: readonly IndexedArtifact[], blobs: readonly WholeBlob[]): Promise<void> {
  await using tar = await openArtifactTar(file, "write");
  for (const each of artifacts) {
    const sink = tar.blobsFor(each.generation);
    await sink.writeMany(blobs.slice(0, 3), signal);
    for (const { digest, bytes } of blobs.slice(3))
      await sink.write(digest, (from) => piecesOf(bytes, 99, from), signal);
    await sink.flush();
    await tar.index.publish(each, contentOf(each), signal);
  }
}

const messageBlob = ({ content, message }: IndexedArtifact): WholeBlob => ({
  digest: content,
  bytes: message as Buffer,
});

/** Writes the sum of the header at `at` into it. */
function summed(bytes: Buffer, at: number): void {
  bytes.fill(" ", at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
}

describe("artifacts in a tar file", () => {
  it("are not taken away by who began before they came", async () => {
    await using at = await folder();
    const named = await artifact();
    const late = await openArtifactTar(at.file, "write");
    await late.index.publish({ ...named, element: "late" }, contentOf(named), signal);
    await write(at.file, [named], [messageBlob(named)]);
    await assert.rejects(async () => late[Symbol.asyncDispose](), { code: "aborted" });
    await using tar = await openArtifactTar(at.file, "read");
    const question = { project: named.project, keys: named.keys };
    assert.ok(await tar.index.find({ ...question, element: named.element }, signal));
    assert.equal(await tar.index.find({ ...question, element: "late" }, signal), undefined);
    assert.deepEqual(await readdir(at.path), ["artifacts.tar"]);
  });

  it("come back, and are the same bytes in whatever order they came", async () => {
    await using at = await folder();
    const contents = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 2000 }), {
      maxLength: 8,
      selector: String,
    });
    await fc.assert(
      fc.asyncProperty(contents, async (all) => {
        const blobs = all.map(blobOf);
        const named = await artifact();
        const others = { ...named, element: "other" };
        await write(at.file, [named, others], blobs);
        const other = join(at.path, "other.tar");
        await write(other, [others, named], blobs.toReversed());
        assert.ok((await readFile(other)).equals(await readFile(at.file)));
        {
          await using tar = await openArtifactTar(at.file, "read");
          assert.deepEqual(await listed(tar, "os", "*", ""), ["os/app 12 2.x", "os/other 12 2.x"]);
          const { found, missing } = await readAll(
            tar.blobs,
            blobs.map(({ digest }) => digest),
          );
          assert.deepEqual(missing, []);
          for (const { digest, bytes } of blobs) {
            assert.ok(found.get(digest.hash)?.equals(bytes));
            assert.ok((await whole(tar.blobs.read(digest, 1, signal))).equals(bytes.subarray(1)));
          }
        }
        for (const file of [at.file, other]) await rm(file);
      }),
      { numRuns: 10 },
    );
  });

  it("are unpacked into a cache by tar, and a cache that tar packed is read", async () => {
    await using at = await folder();
    const [named, blob] = [await artifact(), textBlob("a blob")];
    const old: IndexedArtifact = {
      ...named,
      project: "a-project-with-a-long-name",
      element: "x".repeat(80),
      generation: "1.x",
    };
    await write(at.file, [named, old], [blob, messageBlob(named)]);
    const cache = await openLocalCache(join(at.path, "cache"));
    execFileSync("mkdir", [cache.directory]);
    execFileSync("tar", ["-xf", at.file, "-C", cache.directory]);
    assert.deepEqual(await listed(cache, "*", "*", ""), ["os/app 12 2.x", `${old.project}/${old.element} 12 1.x`]);
    for (const generation of ["2.x", "1.x"] as const) {
      assert.deepEqual(await cache.blobsFor(generation).missing([blob.digest], signal), []);
    }
    // The keys of an artifact are hard links there.
    const linked = await artifact({ strongKey: keyOf("7"), weakKey: keyOf("8"), strictKey: keyOf("7") });
    await cache.index.publish({ ...linked, keys: [keyOf("7"), keyOf("8")] }, contentOf(linked), signal);
    for (const format of ["gnu", "pax"]) {
      execFileSync("tar", [`--format=${format}`, "-cf", at.file, "-C", cache.directory, "."]);
      await using tar = await openArtifactTar(at.file, "read");
      const names = ["os/app 12 2.x", "os/app 78 2.x", `${old.project}/${old.element} 12 1.x`];
      assert.deepEqual(await listed(tar, "*", "*", ""), names);
      assert.deepEqual((await readAll(tar.blobs, [blob.digest])).missing, []);
    }
  });

  it("are added to those that are there, and go by name", async () => {
    await using at = await folder();
    const [first, second] = [await artifact(), { ...(await artifact()), element: "second" }];
    const [one, two] = [textBlob("one"), textBlob("two")];
    await write(at.file, [first], [one, messageBlob(first)]);
    await write(at.file, [second], [two]);
    {
      await using tar = await openArtifactTar(at.file, "write");
      assert.deepEqual(await listed(tar, "*", "*", ""), ["os/app 12 2.x", "os/second 12 2.x"]);
      assert.deepEqual(await tar.blobs.missing([one.digest, two.digest, one.digest], signal), []);
      assert.equal(await tar.remove(first), 2);
      assert.equal(await tar.remove(first), 0);
    }
    await using tar = await openArtifactTar(at.file, "read");
    assert.deepEqual(await listed(tar, "*", "*", ""), ["os/second 12 2.x"]);
    await assert.rejects(tar.remove(second), { code: "forbidden" });
    await assert.rejects(tar.blobs.writeMany([textBlob("three")], signal), { code: "forbidden" });
    assert.deepEqual(await readdir(at.path), ["artifacts.tar"]);
  });

  it("are not touched where nothing changes, and no file is made for nothing", async () => {
    await using at = await folder();
    await (await openArtifactTar(at.file, "write"))[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(at.path), []);
    await assert.rejects(openArtifactTar(at.file, "read"), { code: "not-found" });
    const nowhere = openArtifactTar(join(at.path, "none/x.tar"), "write");
    await assert.rejects(nowhere, { code: "not-found", message: `there is no directory ${at.path}/none` });
  });

  it("are given in pieces that nobody writes to any more", async () => {
    await using at = await folder();
    await using tar = await openArtifactTar(at.file, "write");
    await givesPiecesAway(tar.blobs);
  });

  it("are taken only where they are what they are called", async () => {
    await using at = await folder();
    await using tar = await openArtifactTar(at.file, "write");
    await refusesOtherBytes(tar.blobs);
    const { digest, bytes } = textBlob("what it is");
    await assert.rejects(
      tar.blobs.write(digest, () => piecesOf(bytes.subarray(1), 3), signal),
      { code: "unavailable" },
    );
    assert.deepEqual(await tar.blobs.missing([digest], signal), [digest]);
  });

  it("are written where a link leads, and into an empty file", async () => {
    await using at = await folder();
    const [named, link] = [await artifact(), join(at.path, "link.tar")];
    await writeFile(at.file, "");
    await assert.rejects(openArtifactTar(at.file, "read"), { code: "failed-precondition" });
    await symlink("artifacts.tar", link);
    await write(link, [named], [messageBlob(named)]);
    await using tar = await openArtifactTar(link, "read");
    assert.deepEqual(await listed(tar, "*", "*", ""), ["os/app 12 2.x"]);
    assert.equal(await readlink(link), "artifacts.tar");
    await rm(link);
    await symlink("nowhere.tar", link);
    await assert.rejects(openArtifactTar(link, "write"), { code: "invalid", message: /link\.tar is a link/ });
    await assert.rejects(openArtifactTar("/dev/null", "write"), { code: "invalid", message: /^\/dev\/null: / });
  });

  it("are there once they are saved, and added to after that", async () => {
    await using at = await folder();
    const [first, second] = [await artifact(), { ...(await artifact()), element: "second" }];
    const killed = join(at.path, "artifacts.tar.0123456789ab.part");
    const running = join(at.path, "artifacts.tar.ba9876543210.part");
    for (const path of [killed, running]) await writeFile(path, "half of it");
    await utimes(killed, 1000, 1000);
    const seen = async () => {
      await using tar = await openArtifactTar(at.file, "read");
      return await listed(tar, "*", "*", "");
    };
    {
      await using tar = await openArtifactTar(at.file, "write");
      await tar.index.publish(first, contentOf(first), signal);
      await tar.save();
      assert.deepEqual(await seen(), ["os/app 12 2.x"]);
      await tar.index.publish(second, contentOf(second), signal);
    }
    assert.deepEqual(await seen(), ["os/app 12 2.x", "os/second 12 2.x"]);
    assert.deepEqual((await readdir(at.path)).sort(), ["artifacts.tar", basename(running)]);
  });

  it("are not tried again where they could not be saved, but by who asks for it", async () => {
    await using at = await folder();
    const named = await artifact();
    {
      await using tar = await openArtifactTar(at.file, "write");
      await tar.index.publish(named, contentOf(named), signal);
      await writeFile(at.file, "another's");
      await assert.rejects(tar.save(), { code: "aborted" });
    }
    assert.equal(String(await readFile(at.file)), "another's");
    await rm(at.file);
    await using tar = await openArtifactTar(at.file, "write");
    await tar.index.publish(named, contentOf(named), signal);
    await mkdir(at.file);
    await assert.rejects(tar.save());
    await rmdir(at.file);
    await tar.save();
    assert.deepEqual(await readdir(at.path), ["artifacts.tar"]);
  });

  it("that are damaged are not handed out", async () => {
    await using at = await folder();
    const [named, blob] = [await artifact(), textBlob("some bytes")];
    await write(at.file, [named], [blob]);
    const good = await readFile(at.file);
    const changed = Buffer.from(good);
    changed.write("SOME", good.indexOf("some bytes"));
    await writeFile(at.file, changed);
    {
      await using tar = await openArtifactTar(at.file, "read");
      await assert.rejects(readAll(tar.blobs, [blob.digest]), { code: "corrupt" });
      await assert.rejects(whole(tar.blobs.read(blob.digest, 0, signal)), { code: "corrupt" });
    }
    for (let length = 0; length < good.indexOf("\0".repeat(1024), good.lastIndexOf("ustar")); length += 512) {
      await writeFile(at.file, good);
      await truncate(at.file, length);
      await assert.rejects(openArtifactTar(at.file, "read"), { code: "failed-precondition", message: /breaks off/ });
    }
    await writeFile(at.file, "no archive".repeat(100));
    for (const mode of ["read", "write"] as const) {
      await assert.rejects(openArtifactTar(at.file, mode), { code: "failed-precondition" });
    }
    assert.equal(String(await readFile(at.file)), "no archive".repeat(100));
  });

  it("of an archive that was changed anywhere are what they were, or an error says what is wrong", async () => {
    await using at = await folder();
    const [named, blobs] = [await artifact(), ["one", "two", "three"].map(textBlob)];
    await write(at.file, [named, { ...named, element: "e".repeat(120) }], [...blobs, messageBlob(named)]);
    const good = await readFile(at.file);
    const headers = Array.from({ length: good.length / 512 }, (_, i) => i * 512).filter((i) => good[i + 257] === 0x75);
    const change = fc.tuple(fc.constantFrom(...headers), fc.nat(511), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), async (changes, isSummed) => {
        const bytes = Buffer.from(good);
        for (const [at, offset, value] of changes) {
          bytes[at + offset] = value;
          if (!isSummed) continue; // mostly refused by the sum of the header
          summed(bytes, at);
        }
        await writeFile(at.file, bytes);
        try {
          await using tar = await openArtifactTar(at.file, "read");
          for await (const found of tar.index.list([{ project: "*", element: "*", key: "" }], signal)) {
            assert.equal(found.content.hash, digestOf(sha256, found.message as Uint8Array).hash);
          }
          for (const { digest, bytes: own } of blobs) {
            const { found } = await readAll(tar.blobs, [digest]);
            assert.deepEqual(found.get(digest.hash) ?? own, own);
          }
        } catch (error) {
          assert.ok(error instanceof StillageError, String(error));
          assert.notEqual(error.code, "internal");
        }
      }),
      { numRuns: 25 },
    );
  });

  it("that some hostile archive names lead nowhere", async () => {
    await using at = await folder();
    const key = keyOf("1");
    const typed = (path: string, type: string, target = ""): Buffer => {
      const header = Buffer.from(tarHeader({ path, kind: "symlink", mode: 0, size: 0, modified: 0, target }));
      header.write(type, 156, "latin1");
      summed(header, 0);
      return header;
    };
    const paths = ["artifacts/refs/../../etc", "/artifacts/refs/a/b", "artifacts/refs/a/b/c", "artifacts/refs/a"];
    const files = [...paths.map((path) => `${path}/${key}`), "artifacts/refs/a/b/passwd", "cas/disk_usage"];
    const odd = ["cas/objects/zz", "cas/objects/aa/../aa"].map((path) => `${path}/${"0".repeat(62)}`);
    const entries = [...files, ...odd].flatMap((path) => [
      tarHeader({ path, kind: "file", mode: 0, size: 1, modified: 0 }),
      Buffer.alloc(512, "x\0"),
    ]);
    const links = [
      typed(`artifacts/refs/a/b/${key}`, "2", "/etc/passwd"),
      typed(`artifacts/refs/a/c/${key}`, "1", "../../../etc/passwd"),
      typed(`artifacts/refs/a/d/${key}`, "6"),
    ];
    const named = await artifact();
    await write(at.file, [named], []);
    await writeFile(at.file, Buffer.concat([...entries, ...links, await readFile(at.file)]));
    await using tar = await openArtifactTar(at.file, "read");
    assert.deepEqual(await listed(tar, "*", "*", ""), ["os/app 12 2.x"]);
    for (const element of ["b", "c", "d", "..", "b/c"]) {
      assert.equal(await tar.index.find({ project: "a", element, keys: [keyOf("1")] }, signal), undefined);
    }
  });
});
