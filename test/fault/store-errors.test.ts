import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { describe, it } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import type { FaultPoint } from "../../src/store/disk/faults.ts";
import { openDiskStore } from "../../src/store/disk/open-store.ts";
import { randomBlob, temporaryDirectory } from "./store-blobs.ts";

const points: readonly FaultPoint[] = ["pack created", "pack written", "pack synced", "file synced", "file journaled"];

describe("a store whose disk fails once", () => {
  for (const [error, code] of [
    ["ENOSPC", "exhausted"],
    ["EIO", "internal"],
  ] as const) {
    for (const point of points) {
      it(`with ${error} at "${point}" refuses what was being written and goes on`, async () => {
        await using directory = await temporaryDirectory();
        let failing = false;
        const reach = (at: FaultPoint): void => {
          if (failing && at === point) throw Object.assign(new Error(error), { code: error });
        };
        const options = { durability: "on", clock: systemClock, log: silentLog } as const;
        const size = point.startsWith("file") ? 1_500_000 : 5000;
        const [before, during, after] = [randomBlob(size), randomBlob(size), randomBlob(size)];

        const disk = await openDiskStore(directory.path, { ...options, faults: { reach } });
        const store = disk.tenant("");
        if (point !== "pack created") await store.put(before.digest, before.bytes);
        const used = disk.usage();
        failing = true;
        await assert.rejects(store.put(during.digest, during.bytes), { code });
        failing = false;
        assert.deepEqual(disk.usage(), used);
        assert.deepEqual(store.missing(DigestList.of(during.digest)), [0]);
        await store.put(before.digest, before.bytes);
        await store.put(after.digest, after.bytes);
        await disk.close();

        const again = await openDiskStore(directory.path, options);
        for (const { digest, bytes } of [before, after]) assert.deepEqual(await read(again.tenant(""), digest), bytes);
        assert.deepEqual(again.tenant("").missing(DigestList.of(during.digest)), [0]);
        await again.tenant("").put(during.digest, during.bytes);
        assert.deepEqual(await read(again.tenant(""), during.digest), during.bytes);
        await again.close();
      });
    }
  }

  for (const point of ["file journaled", "file moved"] as const) {
    it(`with EIO at "${point}" does not list what it refused, even where it is killed next`, async () => {
      await using directory = await temporaryDirectory();
      await using copy = await temporaryDirectory();
      const blob = randomBlob(1_500_000);
      const reach = (at: FaultPoint): void => {
        if (at === point) throw Object.assign(new Error("EIO"), { code: "EIO" });
      };
      const options = { durability: "on", clock: systemClock, log: silentLog } as const;
      const disk = await openDiskStore(directory.path, { ...options, faults: { reach } });
      await assert.rejects(disk.tenant("").put(blob.digest, blob.bytes), { code: "internal" });
      await cp(directory.path, copy.path, { recursive: true }); // as a kill would leave it
      await disk.close();
      const killed = await openDiskStore(copy.path, options);
      assert.deepEqual(killed.tenant("").missing(DigestList.of(blob.digest)), [0]);
      await killed.close();
    });
  }

  it("in a sync while the next blobs are written behind it acknowledges nothing that is lost", async () => {
    for (let round = 0; round < 20; round++) {
      await using directory = await temporaryDirectory();
      const [first, second, third] = [randomBlob(400_000), randomBlob(400_000), randomBlob(5000)];
      let behind: Promise<boolean> | undefined;
      const put = (blob: typeof first): Promise<boolean> =>
        disk
          .tenant("")
          .put(blob.digest, blob.bytes)
          .then(
            () => true,
            () => false,
          );
      let failures = 1;
      const reach = (at: FaultPoint): void => {
        if (at === "pack written") behind ??= put(second);
        if (at === "pack synced" && failures-- > 0) throw Object.assign(new Error("EIO"), { code: "EIO" });
      };
      const options = { durability: "on", clock: systemClock, log: silentLog } as const;
      const disk = await openDiskStore(directory.path, { ...options, faults: { reach } });
      assert.equal(await put(first), false);
      const stored = [await behind, await put(third)];
      assert.equal(stored[1], true);
      await disk.close();
      const again = await openDiskStore(directory.path, options);
      for (const [i, { digest, bytes }] of [second, third].entries()) {
        assert.deepEqual(again.tenant("").missing(DigestList.of(digest)), stored[i] ? [] : [0]);
        if (stored[i]) assert.deepEqual(await read(again.tenant(""), digest), bytes);
      }
      assert.deepEqual(again.tenant("").missing(DigestList.of(first.digest)), [0]);
      await again.close();
    }
  });

  it("while an index is written keeps the blobs", async () => {
    await using directory = await temporaryDirectory();
    const blob = randomBlob(5000);
    const reach = (at: FaultPoint): void => {
      if (at === "index written" || at === "index rewritten") throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    let seconds = 1e9;
    const options = { durability: "on", clock: () => seconds * 1000, log: silentLog } as const;
    const disk = await openDiskStore(directory.path, { ...options, faults: { reach } });
    await disk.tenant("").put(blob.digest, blob.bytes);
    seconds += 100_000;
    assert.deepEqual(disk.tenant("").missing(DigestList.of(blob.digest)), []);
    await disk.close();
    const again = await openDiskStore(directory.path, options);
    assert.deepEqual(await read(again.tenant(""), blob.digest), blob.bytes);
    await again.close();
  });
});

describe("a store whose disk fails while a pack is compacted", () => {
  const options = { durability: "on", quota: 64 << 20, clock: systemClock, log: silentLog } as const;

  for (const point of ["pack created", "pack written", "pack synced", "pack renamed"] as const) {
    it(`with EIO at "${point}" keeps everything, and compacts it later`, async () => {
      await using directory = await temporaryDirectory();
      let failing = false;
      const reach = (at: FaultPoint): void => {
        if (failing && at === point) throw Object.assign(new Error("EIO"), { code: "EIO" });
      };
      const disk = await openDiskStore(directory.path, { ...options, faults: { reach } });
      const store = disk.tenant("");
      const blobs = Array.from({ length: 100 }, () => randomBlob(20_000));
      await Promise.all(blobs.map(({ digest, bytes }) => store.put(digest, bytes)));
      const [kept, gone] = [blobs.slice(0, 20), blobs.slice(20)];
      await Promise.all(gone.map(({ digest }) => store.remove(digest)));
      failing = true;
      await assert.rejects(disk.compact());
      failing = false;
      for (const { digest, bytes } of kept) assert.deepEqual(await read(store, digest), bytes);
      const { bytes: used, live, dead } = disk.usage();
      assert.equal(live + dead, used);
      assert.ok(used > 1_900_000, `${used} bytes: nothing has gone yet`);
      if (point === "pack renamed") {
        await disk.compact();
        assert.ok(disk.usage().bytes < 500_000, `${disk.usage().bytes} bytes`);
      }
      await disk.close();
      const again = await openDiskStore(directory.path, options);
      await again.compact();
      for (const { digest, bytes } of kept) assert.deepEqual(await read(again.tenant(""), digest), bytes);
      for (const { digest } of gone) assert.deepEqual(again.tenant("").missing(DigestList.of(digest)), [0]);
      assert.ok(again.usage().bytes < 500_000, `${again.usage().bytes} bytes`);
      await again.close();
    });
  }

  it("and cannot be written to at all still deletes packs without blobs", async () => {
    await using directory = await temporaryDirectory();
    let failing = false;
    const reach = (at: FaultPoint): void => {
      if (failing && at === "pack written") throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    const disk = await openDiskStore(directory.path, { ...options, faults: { reach } });
    const store = disk.tenant("");
    const blobs = Array.from({ length: 15 }, () => randomBlob(1 << 20));
    for (const { digest, bytes } of blobs) await store.put(digest, bytes);
    const last = blobs.at(-1) as (typeof blobs)[number];
    for (const { digest } of blobs.slice(0, -1)) await store.remove(digest);
    failing = true;
    const before = disk.usage().bytes;
    await assert.rejects(disk.compact(), { code: "exhausted" });
    assert.ok(before - disk.usage().bytes > 8 << 20);
    assert.deepEqual(await read(store, last.digest), last.bytes);
    await disk.close();
  });
});
