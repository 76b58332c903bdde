import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { type DiskStore, openDiskStore } from "../../src/store/disk/open-store.ts";
import { randomBlob, temporaryDirectory } from "./store-blobs.ts";

function open(directory: string, quota?: number): Promise<DiskStore> {
  const options = { durability: "on", clock: systemClock, log: silentLog } as const;
  return openDiskStore(directory, quota === undefined ? options : { ...options, quota });
}

describe("opening a store", () => {
  it("makes one of a directory that is absent, empty, or the root of a file system", async () => {
    await using directory = await temporaryDirectory();
    await (await open(join(directory.path, "a", "b"))).close();
    mkdirSync(join(directory.path, "c", "lost+found"), { recursive: true });
    await (await open(join(directory.path, "c"))).close();
    assert.equal(readFileSync(join(directory.path, "c", "format"), "utf8"), "stillage-store 1\n");
    await (await open(join(directory.path, "c"))).close();
  });

  it("goes on where it was interrupted before there was a stamp", async () => {
    await using directory = await temporaryDirectory();
    for (const name of ["lock", "format.new"]) writeFileSync(join(directory.path, name), "");
    await (await open(directory.path)).close();
  });

  it("refuses what is not a store, and leaves it as it is", async () => {
    await using directory = await temporaryDirectory();
    writeFileSync(join(directory.path, "thesis.tex"), "");
    await assert.rejects(open(directory.path), {
      code: "failed-precondition",
      message: /not empty and not a store.*thesis\.tex/,
    });
    assert.deepEqual(readdirSync(directory.path), ["thesis.tex"]);
  });

  it("refuses a format that it does not know", async () => {
    await using directory = await temporaryDirectory();
    await (await open(directory.path)).close();
    for (const [stamp, message] of [
      ["stillage-store 2\n", /a store of format 2; this program knows format 1/],
      ["something else", /a file "format" that is not a store's/],
    ] as const) {
      writeFileSync(join(directory.path, "format"), stamp);
      await assert.rejects(open(directory.path), { code: "failed-precondition", message });
    }
  });

  it("refuses a store that a process has open, until that ends, however it does", async () => {
    await using directory = await temporaryDirectory();
    const program = join(import.meta.dirname, "store-writer.ts");
    const child = spawn(process.execPath, [program, directory.path, "on", "0", "writing"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    const inUse = { code: "failed-precondition", message: /another process is using the store/ };
    await assert.rejects(open(directory.path), inUse);
    child.kill("SIGKILL");
    await ended;
    const disk = await open(directory.path);
    await assert.rejects(open(directory.path), inUse);
    await disk.close();
    await (await open(directory.path)).close();
  });

  it("keeps tenants apart and counts them together", async () => {
    await using directory = await temporaryDirectory();
    const small = randomBlob(1000);
    const large = randomBlob(2_000_000);
    let disk = await open(directory.path, 5_000_000);
    for (const { digest, bytes } of [small, large]) await disk.tenant("one").put(digest, bytes);
    for (const { digest, bytes } of [small, large]) {
      for (const other of ["", "One", "one/two", "two"]) {
        assert.deepEqual(disk.tenant(other).missing(DigestList.of(digest)), [0]);
        assert.equal(await disk.tenant(other).open(digest), undefined);
      }
      await disk.tenant("two").put(digest, bytes);
    }
    const third = disk.tenant("three").put(large.digest, large.bytes);
    await assert.rejects(third, { code: "exhausted", message: /the store is full: .* of 5000000 bytes/ });
    const before = disk.usage();
    assert.equal(before.blobs, 4);
    await disk.close();
    disk = await open(directory.path, 5_000_000);
    const { blobs, bytes } = disk.usage();
    assert.equal(blobs, 4);
    assert.ok(Math.abs(bytes - before.bytes) < 1000, `${bytes} bytes after a restart, ${before.bytes} before`);
    for (const name of ["one", "two"]) {
      for (const each of [small, large]) assert.deepEqual(await read(disk.tenant(name), each.digest), each.bytes);
    }
    await disk.close();
  });

  it("forgets uploads that were under way", async () => {
    await using directory = await temporaryDirectory();
    const { digest, bytes } = randomBlob(3_000_000);
    const disk = await open(directory.path);
    const upload = await disk.tenant("").upload(digest);
    await upload.write(bytes.subarray(0, 2_000_000));
    await disk.close();
    const again = await open(directory.path);
    assert.deepEqual(readdirSync(join(directory.path, "tenants", "@", "sha256", "incoming")), []);
    assert.equal(again.usage().blobs, 0);
    await again.close();
    await upload.abort();
  });
});
