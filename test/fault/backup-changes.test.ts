import assert from "node:assert/strict";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { BackupProgress } from "../../src/backup/backup-progress.ts";
import { backupStore } from "../../src/backup/backup-store.ts";
import { manifestFile } from "../../src/backup/manifest.ts";
import { indexOf } from "../../src/backup/store-layout.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Fsck } from "../../src/check/fsck.ts";
import { lockDirectory } from "../../src/store/disk/directory-lock.ts";
import { large, of, Place, signal, wholeRefs } from "./backup-place.ts";

const restoredAt = (place: Place, name: string): string => join(place.folder, name);

describe("a backup beside changes", () => {
  it("has what is removed and compacted away while files are copied", async () => {
    await using place = await Place.open();
    await place.stop();
    await place.start();
    await place.add(3);
    const done = await place.backup(async (step) => {
      if (step !== "refs copied") return;
      for (const i of [1, 3]) await place.remove(i);
      await place.blobs.compact();
      await place.add(4);
    });
    assert.deepEqual([done.refs, done.files], [3, 3]);
    assert.deepEqual((await place.restore("one")).damaged, []);
    assert.deepEqual(await wholeRefs(restoredAt(place, "one"), [1, 2, 3, 4]), [1, 2, 3]);
    await place.backup();
    await place.restore("two");
    assert.deepEqual(await wholeRefs(restoredAt(place, "two"), [1, 2, 3, 4]), [2, 4]);
  });

  it("has one file of a large blob that was removed and came again between the links", async () => {
    await using place = await Place.open();
    const { files } = await place.backup(async (step) => {
      if (step !== "linked") return;
      await place.blobs.tenant("team/os").remove(of(large(1)));
      await place.blobs.tenant("team/os").put(of(large(1)), large(1));
    });
    assert.equal(files, 2);
    await place.restore("one");
    assert.deepEqual(await wholeRefs(restoredAt(place, "one"), [1, 2]), [1, 2]);
  });

  it("has what was written where an earlier one found the torn end of a write", async () => {
    await using place = await Place.open();
    await place.stop();
    appendFileSync(place.find(place.store, ".pack"), Buffer.alloc(700, "torn"));
    await place.backup();
    await place.start();
    await place.add(3, 4);
    await place.backup();
    const { damaged, refs } = await place.restore("one");
    assert.deepEqual([damaged, refs], [[], 4]);
    assert.deepEqual(await wholeRefs(restoredAt(place, "one"), [1, 2, 3, 4]), [1, 2, 3, 4]);
  });

  it("takes a pack for another one whose number was given again meanwhile", async () => {
    await using place = await Place.open();
    await place.stop();
    await place.backup(async (step) => {
      if (step !== "linked") return;
      // All blobs go, with the pack that has the last number, and a server that is started anew begins with that again.
      await place.start();
      for (const i of [1, 2]) await place.remove(i);
      await place.stop();
      const pack = place.find(place.store, ".pack");
      for (const path of [pack, indexOf(pack)]) rmSync(path);
      await place.start();
      await place.add(3);
    });
    const { refs, damaged } = await place.restore("one");
    assert.deepEqual([refs, damaged], [1, []]);
    assert.deepEqual(await wholeRefs(restoredAt(place, "one"), [1, 2, 3]), [3]);
  });

  it("copies a pack anew that the backup has lost a part of", async () => {
    await using place = await Place.open();
    await place.stop();
    await place.start();
    await place.backup();
    truncateSync(place.find(place.target, ".pack"), 20);
    writeFileSync(`${place.find(place.target, ".pack")}.part`, "of a run that was killed");
    await place.backup();
    assert.deepEqual((await place.restore("one")).damaged, []);
    const left = readdirSync(place.target, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      left.filter((name) => /\.(part|new)$/.test(name)),
      [],
    );
  });

  it("goes nowhere else than where it was told, and replaces no other store's", async () => {
    await using place = await Place.open();
    await using other = await Place.open();
    await place.backup();
    const rest = { bytesPerSecond: 1e12, signal, progress: new BackupProgress() };
    const into = { store: other.store, target: place.target, ...rest };
    await assert.rejects(backupStore(into), { code: "failed-precondition", message: /is a backup of .*, not of / });
    assert.equal((await place.restore("one")).refs, 2);
    await other.add(3);
    assert.equal((await backupStore({ ...into, replace: true })).refs, 3);
    assert.equal((await place.restore("two")).refs, 3);
    symlinkSync(place.store, join(place.folder, "link"));
    await assert.rejects(backupStore({ ...rest, store: place.store, target: join(place.folder, "link/within") }), {
      code: "invalid",
    });
    const lock = lockDirectory(place.target);
    await assert.rejects(backupStore({ ...into, replace: true }), { message: /another backup into .* is under way/ });
    lock.release();
  });
});

describe("a restore", () => {
  it("names what the backup has no more, and goes on", async () => {
    await using place = await Place.open();
    await place.stop();
    await place.start();
    await place.backup();
    const pack = place.find(place.target, ".pack");
    const file = place.find(place.target, `${of(large(2)).hash}.2`);
    rmSync(file);
    renameSync(indexOf(pack), join(place.folder, "elsewhere"));
    symlinkSync(join(place.folder, "elsewhere"), indexOf(pack));
    const one = await place.restore("one");
    assert.deepEqual([one.damagedBlobs, one.blobs], [1, 3]);
    assert.match(one.damaged[0] ?? "", /files\/.*\.2, which cannot be read/);
    assert.deepEqual(await wholeRefs(restoredAt(place, "one"), [1, 2]), [1]);
    rmSync(indexOf(pack));
    renameSync(join(place.folder, "elsewhere"), indexOf(pack));
    rmSync(pack);
    const two = await place.restore("two");
    assert.deepEqual([two.damagedBlobs, two.blobs], [3, 1]);
  });

  it("leaves the blobs to fsck where the refs are damaged", async () => {
    await using place = await Place.open();
    await place.backup();
    const refs = join(place.target, "refs.sqlite");
    const bytes = readFileSync(refs);
    writeFileSync(refs, bytes.fill("x", 0, 100));
    await assert.rejects(place.restore("one"), { code: "corrupt", hint: /stillage store fsck --repair --store / });
    const directory = restoredAt(place, "one");
    assert.deepEqual(readdirSync(directory).sort(), ["lock", "refs.sqlite", "tenants"]);
    const { findings } = await new Fsck({ directory, repair: true, clock: systemClock }).run();
    assert.ok(findings.wrong > 0);
    assert.deepEqual(await wholeRefs(directory, [1, 2]), [1, 2]);
  });

  it("begins anew after one of another backup was killed, and goes into no store and no other user's directory", async () => {
    await using place = await Place.open();
    await place.backup();
    const store = restoredAt(place, "one");
    const stale = join(store, "tenants/team%2Fos/sha256/packs/00000001.idx");
    mkdirSync(join(stale, ".."), { recursive: true });
    for (const path of [stale, join(store, "restoring"), join(store, "refs.sqlite.part")]) writeFileSync(path, "other");
    assert.deepEqual((await place.restore("one", true)).damaged, []);
    assert.ok(!existsSync(join(store, "restoring")));
    assert.deepEqual(await wholeRefs(store, [1, 2]), [1, 2]);
    writeFileSync(join(store, "restoring"), "");
    await assert.rejects(place.restore("one"), { code: "failed-precondition", message: /is not empty/ });
    await assert.rejects(place.restore("backup/within"), { code: "invalid" });
    const foreign = restoredAt(place, "foreign");
    mkdirSync(foreign);
    if (process.geteuid?.() !== 0) return;
    chownSync(foreign, 12345, 12345);
    await assert.rejects(place.restore("foreign"), { message: /belongs to another user \(12345\)/ });
    assert.deepEqual(readdirSync(foreign), []);
  });

  it("refuses a manifest whose packs are none", async () => {
    await using place = await Place.open();
    await place.backup();
    const path = join(place.target, manifestFile);
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...manifest, packs: { a: { source: "1", length: -1 } } }));
    await assert.rejects(place.restore("one"), { message: /not what a backup has/ });
  });
});
