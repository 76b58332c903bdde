import assert from "node:assert/strict";
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
