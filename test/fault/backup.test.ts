import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { BackupProgress } from "../../src/backup/backup-progress.ts";
import { type BackupStep, backupStore } from "../../src/backup/backup-store.ts";
import { manifestFile } from "../../src/backup/manifest.ts";
import { restoreStore } from "../../src/backup/restore-store.ts";
import { ostree } from "../../src/base/digest-function.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { blob, listOf, read } from "../../src/store/blob-store.contract.ts";
import { openDiskStore } from "../../src/store/disk/open-store.ts";
import { large, of, options, Place, signal, small, wholeRefs } from "./backup-place.ts";

describe("backup and restore", () => {
  it("copy an open store, then only what is new, and leave out what has gone", async () => {
    await using place = await Place.open();
    const first = await place.backup();
    assert.deepEqual([first.refs, first.gone, first.packs, first.files], [2, 0, 1, 2]);
    const one = await place.restore("one");
    assert.deepEqual([one.refs, one.blobs, one.verified, one.damaged], [2, 4, true, []]);
    assert.deepEqual(await wholeRefs(join(place.folder, "one"), [1, 2]), [1, 2]);

    await place.add(3);
    await place.remove(1);
    const again = await place.backup();
    assert.deepEqual([again.refs, again.files], [2, 2]);
    assert.ok(again.copied < large(3).length + 10_000, `${again.copied} bytes`);
    const two = await place.restore("two");
    assert.deepEqual([two.refs, two.blobs], [2, 4]);
    assert.deepEqual(await wholeRefs(join(place.folder, "two"), [1, 2, 3]), [2, 3]);
    assert.deepEqual(readdirSync(place.store).sort(), [
      "format",
      "lock",
      "refs.sqlite",
      "refs.sqlite-shm",
      "refs.sqlite-wal",
      "tenants",
    ]);
  });

  it("keep what a compaction and removals take away, and what is pushed, while they copy", async () => {
    await using place = await Place.open();
    const done = await place.backup(async (step) => {
      if (step === "linked") {
        // As a compaction does it, but for the copies: the links have it all.
        const pack = place.find(place.store, ".pack");
        renameSync(pack, `${pack}.gone`);
        rmSync(pack.replace(".pack", ".idx"), { force: true });
        rmSync(`${pack}.gone`);
        rmSync(join(place.store, "tenants/team%2Fos/sha256/files"), { recursive: true });
        rmSync(join(place.store, "tenants/team%2Fos/sha256/files.idx"));
      }
      if (step === "refs copied")
        await place.refs.put([
          { space: "asset", instance: "", name: "later", message: small(3), roots: [], stored: 3, expires: undefined },
        ]);
    });
    assert.deepEqual([done.refs, done.files], [2, 2]);
    assert.deepEqual((await place.restore("one")).damaged, []);
    assert.deepEqual(await wholeRefs(join(place.folder, "one"), [1, 2]), [1, 2]);
  });

  it("leave out refs that go meanwhile", async () => {
    await using place = await Place.open();
    const done = await place.backup(async (step) => {
      if (step === "refs read") await place.refs.remove({ space: "asset", instance: "team/os", name: "1" });
    });
    assert.deepEqual([done.refs, done.gone], [1, 1]);
    await place.restore("one");
    assert.deepEqual(await wholeRefs(join(place.folder, "one"), [1, 2]), [2]);
  });

  it("leave the older backup whole where a run ends early, and say where there is none", async () => {
    await using place = await Place.open();
    const stopAt =
      (wanted: BackupStep) =>
      (step: BackupStep): void => {
        if (step === wanted) throw new Error("stopped");
      };
    for (const step of ["linked", "file copied", "replacing"] as const) {
      await assert.rejects(place.backup(stopAt(step)), { message: "stopped" });
      await assert.rejects(place.restore("early"), { code: "failed-precondition", message: /not made to its end/ });
    }
    await place.backup();
    await place.remove(1);
    await place.add(3);
    for (const step of ["linked", "refs copied", "file copied", "packs copied"] as const) {
      await assert.rejects(place.backup(stopAt(step)), { message: "stopped" });
      assert.equal((await place.restore(step)).refs, 2);
      assert.deepEqual(await wholeRefs(join(place.folder, step), [1, 2, 3]), [1, 2], step);
    }
    await assert.rejects(place.backup(stopAt("replacing")), { message: "stopped" });
    await assert.rejects(place.restore("half"), { code: "failed-precondition", message: /not made to its end/ });
    await place.backup();
    await place.restore("last");
    assert.deepEqual(await wholeRefs(join(place.folder, "last"), [1, 2, 3]), [2, 3]);
  });

  it("copy a pack anew whose name another one had", async () => {
    await using place = await Place.open();
    await place.backup();
    const pack = place.find(place.store, ".pack");
    const bytes = readFileSync(pack);
    rmSync(pack);
    writeFileSync(pack, bytes);
    const again = await place.backup();
    assert.ok(again.copied >= bytes.length);
  });

  it("name what is damaged, and leave it out", async () => {
    await using place = await Place.open();
    await place.backup();
    const pack = place.find(place.target, ".pack");
    const at = readFileSync(pack).indexOf(small(1)) + 3;
    for (const [path, position] of [
      [pack, at],
      [place.find(place.target, `${of(large(2)).hash}.2`), 5000],
    ] as const) {
      const fd = openSync(path, "r+");
      writeSync(fd, "X", position);
      closeSync(fd);
    }
    const { damaged, damagedBlobs, blobs } = await place.restore("one");
    assert.deepEqual([damagedBlobs, blobs], [2, 2]);
    assert.match(damaged.join("\n"), /packs\/00000001\.pack, at 16\n.*files\/.*\.2$/);
    const restored = await openDiskStore(join(place.folder, "one"), options);
    const tenant = restored.tenant("team/os");
    const missing = [small(1), large(1), small(2), large(2)].map(
      (bytes) => tenant.missing(DigestList.of(of(bytes))).length,
    );
    assert.deepEqual(missing, [1, 0, 0, 1]);
    await restored.close();
    const quick = await place.restore("quick", true);
    // No index file lists the small ones yet, so these are looked at all the same.
    assert.deepEqual([quick.verified, quick.damagedBlobs, quick.blobs], [false, 1, 3]);
  });

  it("have the file objects of OSTree, but for those that are damaged", async () => {
    await using place = await Place.open();
    const made = [3000, 4000, 1_100_000, 1_200_000].map((size) => blob(ostree, size));
    for (const { digest, bytes } of made) await place.blobs.tenant("team/os").put(digest, bytes);
    await place.backup();
    const shelf = join(place.target, "tenants/team%2Fos/ostree");
    const names = readdirSync(shelf, { recursive: true, encoding: "utf8" });
    const pack = join(shelf, "packs/00000001.pack");
    const [small, , , large] = made as [(typeof made)[0], object, object, (typeof made)[0]];
    for (const [path, position] of [
      [pack, readFileSync(pack).indexOf(small.bytes) + 2000],
      [join(shelf, names.find((name) => name.includes(large.digest.hash)) as string), 500_000],
    ] as const) {
      const bytes = readFileSync(path);
      bytes[position] = (bytes[position] as number) ^ 1;
      writeFileSync(path, bytes);
    }
    const { damagedBlobs } = await place.restore("one");
    assert.equal(damagedBlobs, 2);
    const restored = await openDiskStore(join(place.folder, "one"), options);
    const tenant = restored.tenant("team/os");
    assert.deepEqual(tenant.missing(listOf(made.map(({ digest }) => digest))), [0, 3]);
    for (const i of [1, 2]) {
      const { digest, bytes } = made[i] as (typeof made)[0];
      assert.deepEqual(await read(tenant, digest), bytes);
    }
    await restored.close();
  });

  it("refuse directories of anything else", async () => {
    await using place = await Place.open();
    writeFileSync(join(place.folder, "file"), "x");
    const { folder, store } = place;
    const to = (target: string) =>
      backupStore({ store, target, bytesPerSecond: 1e9, signal, progress: new BackupProgress() });
    await assert.rejects(to(join(store, "inside")), { code: "invalid" });
    await assert.rejects(to(folder), { code: "invalid" });
    const other = mkdtempSync(join(tmpdir(), "stillage-other-"));
    writeFileSync(join(other, "mine"), "x");
    await assert.rejects(to(other), { code: "failed-precondition", message: /not empty and no backup: it has "mine"/ });
    const restoreFrom = (backup: string, store: string) =>
      restoreStore({ backup, store, quick: false, signal, progress: new BackupProgress() });
    await assert.rejects(restoreFrom(other, join(folder, "new")), { message: /is not a backup/ });
    await place.backup();
    await assert.rejects(restoreFrom(place.target, other), { message: /is not empty: it has "mine"/ });
    writeFileSync(join(place.target, manifestFile), '{"version":2,"complete":true,"packs":{}}');
    await assert.rejects(place.restore("new"), { message: /of format 2; this program knows format 1/ });
    writeFileSync(join(place.target, manifestFile), "{");
    await assert.rejects(place.restore("new"), { message: /not what a backup has/ });
    assert.ok(!existsSync(join(folder, "new")));
    assert.ok(statSync(join(other, "mine")).isFile());
    rmSync(other, { recursive: true });
  });
});
