import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { batchOf } from "../batch.fixture.ts";
import { listOf, read } from "../blob-store.contract.ts";
import type { FaultPoint } from "./faults.ts";
import { openDiskStore } from "./open-store.ts";

const blobs = Array.from({ length: 30 }, (_, i) => {
  const bytes = randomBytes(i * 10_000 + 1);
  return { digest: digestOf(sha256, bytes), bytes };
});
const digests = listOf(blobs.map(({ digest }) => digest));

describe("batches on a disk that fails", () => {
  for (const failing of ["pack written", "pack synced"] as const) {
    it(`are refused with all that wait for them, and taken the next time: ${failing}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "store-"));
      let fails = false;
      const reach = (point: FaultPoint): void => {
        if (fails && point === failing) throw new Error("the disk fails");
      };
      const options = { durability: "on", clock: systemClock, log: silentLog, faults: { reach } } as const;
      const disk = await openDiskStore(directory, options);
      try {
        const store = disk.tenant("");
        const first = { digest: digestOf(sha256, Buffer.from("first")), bytes: Buffer.from("first") };
        await store.put(first.digest, first.bytes);
        const before = disk.usage().bytes;
        fails = true;
        const [all, again, one, twice] = await Promise.all([
          store.putBatch(batchOf([first, ...blobs])),
          store.putBatch(batchOf(blobs)),
          store.put(digests.at(7), blobs[7]?.bytes ?? Buffer.alloc(0)).catch((error) => error),
          store.putBatch(batchOf([...blobs.slice(0, 2), ...blobs.slice(0, 2)])),
        ]);
        const positions = blobs.map((_, i) => i);
        assert.deepEqual(
          [...all.keys()].toSorted((a, b) => a - b),
          positions.map((i) => i + 1),
        );
        assert.deepEqual(
          [...again.keys()].toSorted((a, b) => a - b),
          positions,
        );
        assert.equal(one.code, "internal");
        assert.deepEqual([...twice.keys()].toSorted(), [0, 1, 2, 3]);
        assert.deepEqual(store.missing(digests), positions);
        assert.equal(disk.usage().bytes, before);
        fails = false;
        assert.equal((await store.putBatch(batchOf([...blobs, first]))).size, 0);
        for (const { digest, bytes } of [...blobs, first]) assert.deepEqual(await read(store, digest), bytes);
      } finally {
        await disk.close();
        rmSync(directory, { recursive: true });
      }
    });
  }
});
