import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { silentLog } from "../base/log.ts";
import { openDiskStore } from "../store/disk/open-store.ts";
import { openDatabase } from "../store/sqlite/open-database.ts";
import { CheckWorkers } from "./check-workers.ts";
import { Fsck, type FsckResult } from "./fsck.ts";
import { salvageRefs } from "./salvage-refs.ts";

let store: string;
beforeEach(async () => {
  store = mkdtempSync(join(tmpdir(), "stillage-fsck-"));
  const disk = await openDiskStore(store, { durability: "off", clock: Date.now, log: silentLog });
  for (const size of [500, 2_000_000]) {
    const bytes = randomBytes(size);
    await disk.tenant("").put(digestOf(sha256, bytes), bytes);
  }
  await disk.close();
  openDatabase(join(store, "refs.sqlite")).close();
});
afterEach(() => rmSync(store, { recursive: true }));

const workers = new CheckWorkers();
after(() => workers[Symbol.asyncDispose]());

function check(repair = false): Promise<FsckResult> {
  return new Fsck({ directory: store, repair, clock: Date.now, workers }).run();
}

const counts = ({ findings }: FsckResult): Record<string, number> => Object.fromEntries(findings.counts);
const shelf = (): string => join(store, "tenants/@/sha256");

describe("a check refuses", () => {
  it("a backup, and what a restore has only begun, and changes nothing in them", async () => {
    rmSync(join(store, "format"));
    for (const [name, said] of [
      ["backup.json", /is a backup, not a store/],
      ["restoring", /a restore was begun in it/],
    ] as const) {
      writeFileSync(join(store, name), "{}\n");
      const before = readdirSync(store);
      for (const repair of [false, true]) await assert.rejects(check(repair), said);
      assert.deepEqual(readdirSync(store), before);
      rmSync(join(store, name));
    }
  });

  it("to repair a store that is another user's", async (t) => {
    if (process.geteuid?.() !== 0) return t.skip("only root can give files away");
    chownSync(join(store, "format"), 65534, 65534);
    await assert.rejects(check(true), /belongs to the user with the number 65534/);
    assert.deepEqual(counts(await check()), {});
  });
});

describe("a check goes on", () => {
  it("beside a restore that was done but for its mark, which a repair deletes", async () => {
    writeFileSync(join(store, "restoring"), "/backup\n");
    assert.deepEqual(counts(await check(true)), { leftover: 1 });
    assert.ok(!existsSync(join(store, "restoring")));
  });

  it("where files stand in the place of directories", async () => {
    for (const path of ["tenants/stray", "tenants/@/sha1", "tenants/@/sha256/files/zz"]) {
      writeFileSync(join(store, path), "stray");
    }
    mkdirSync(join(store, "tenants/@/sha512"));
    writeFileSync(join(store, "tenants/@/sha512/packs"), "stray");
    const result = await check(true);
    assert.deepEqual([counts(result), result.blobs], [{ foreign: 4 }, 2]);
  });

  it("where a directory cannot be read, and takes nothing that is in it for gone", async () => {
    const folder = readdirSync(join(shelf(), "files"))[0] as string;
    const path = join(shelf(), "files", folder);
    // What leads to itself can be read by nobody, not even by root.
    renameSync(path, `${store}-aside`);
    symlinkSync(path, path);
    const journal = readFileSync(join(shelf(), "files.idx"));
    const result = await check(true);
    assert.equal(counts(result).unreadable, 1);
    assert.equal(counts(result)["file-missing"], undefined);
    assert.deepEqual(readFileSync(join(shelf(), "files.idx")), journal);
    rmSync(path);
    renameSync(`${store}-aside`, path);
    assert.deepEqual(counts(await check()), {});
  });
});

describe("a repair of the file of names", () => {
  /** Damage that is found, with nothing in it to be lost. */
  function damage(): void {
    const database = openDatabase(join(store, "refs.sqlite"));
    database.exec("INSERT INTO counts (space, instance, pinned, refs) VALUES ('asset', '', 0, 3)");
    database.close();
  }

  it("gives the new file the mode of the old one", async () => {
    damage();
    chmodSync(join(store, "refs.sqlite"), 0o640);
    assert.equal(counts(await check(true))["refs-derived"], 1);
    for (const name of readdirSync(store).filter((each) => each.startsWith("refs."))) {
      assert.equal(statSync(join(store, name)).mode & 0o777, 0o640, name);
    }
  });

  it("does not take up what one before it had made, as names may have come since", async () => {
    const ready = join(store, "refs.sqlite.salvaged");
    openDatabase(ready).close();
    writeFileSync(`${join(store, "refs.sqlite")}-wal`, "names that came since");
    assert.deepEqual(counts(await check(true)), { leftover: 1 });
    assert.ok(!existsSync(ready));
  });

  it("leaves the old file, and no copies, where it does not come to its end", async () => {
    damage();
    mkdirSync(join(store, "refs.sqlite.new", "in the way"), { recursive: true });
    const before = readdirSync(store);
    await assert.rejects(salvageRefs(join(store, "refs.sqlite"), Date.now));
    assert.deepEqual(readdirSync(store), before);
    assert.deepEqual(counts(await check()), { leftover: 1, "refs-derived": 1 });
    rmSync(join(store, "refs.sqlite.new"), { recursive: true });
    assert.equal((await check(true)).findings.unrepaired, 0);
    assert.deepEqual(counts(await check()), {});
  });
});

describe("a thread of a check that ends", () => {
  it("fails what it was asked, and nothing that is asked later", async () => {
    const path = join(store, "format");
    await assert.rejects(workers.run({ kind: "file", path, function: "none such" }), /a check of .*format failed/);
    const { file } = await workers.run({ kind: "file", path, function: "sha256" });
    assert.equal(file?.size, statSync(path).size);
  });
});
