import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { silentLog } from "../../base/log.ts";
import { read } from "../blob-store.contract.ts";
import type { FaultPoint } from "./faults.ts";
import { heldSyncs } from "./held-syncs.fixture.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";

interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

function blobsOf(count: number, size: number): Blob[] {
  return Array.from({ length: count }, () => {
    const bytes = randomBytes(size);
    return { digest: digestOf(sha256, bytes), bytes };
  });
}

/** A store with packs of 4 MiB whose syncs wait from `hold` on, until what that returns is called. */
async function opened(durability: "on" | "off") {
  const directory = mkdtempSync(join(tmpdir(), "store-"));
  let held: Promise<void> | undefined;
  let waiting = 0;
  const syncs = heldSyncs(() => {
    if (held !== undefined) waiting++;
    return held;
  });
  const test = {
    onFault: (_: FaultPoint): void => {},
    disk: undefined as unknown as DiskStore,
    put: (blobs: readonly Blob[]) =>
      Promise.all(blobs.map(({ digest, bytes }) => test.disk.tenant("").put(digest, bytes))),
    remove: (blobs: readonly Blob[]) => Promise.all(blobs.map(({ digest }) => test.disk.tenant("").remove(digest))),
    missing: ({ digest }: Blob) => test.disk.tenant("").missing(DigestList.of(digest)).length > 0,
    check: async (blobs: readonly Blob[]) => {
      for (const { digest, bytes } of blobs) assert.deepEqual(await read(test.disk.tenant(""), digest), bytes);
    },
    hold: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      waiting = 0;
      return () => {
        held = undefined;
        resolve();
      };
    },
    /** As `hold`, from the next write to a pack on. */
    holdOnceWritten: (): (() => void) => {
      let release = (): void => {};
      test.onFault = (point) => {
        if (point !== "pack written") return;
        test.onFault = () => {};
        release = test.hold();
      };
      return () => release();
    },
    /** Resolves once a sync waits, and whatever can go on without it has had time for that. */
    stuck: async () => {
      while (waiting === 0) await new Promise((resolve) => setImmediate(resolve));
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    },
    open: async () => {
      const faults = { reach: (point: FaultPoint) => test.onFault(point) };
      test.disk = await openDiskStore(directory, {
        durability,
        quota: 64 << 20,
        clock: systemClock,
        log: silentLog,
        faults,
      });
    },
    reopen: async () => {
      await test.disk.close();
      await test.open();
    },
    [Symbol.asyncDispose]: async () => {
      await test.disk.close();
      syncs[Symbol.dispose]();
      rmSync(directory, { recursive: true });
    },
  };
  await test.open();
  return test;
}

describe("a store on a disk that takes its time to sync", () => {
  it("does not delete a pack whose last blobs are being published", async () => {
    await using test = await opened("on");
    const gone = blobsOf(4, 900_000);
    await test.put(gone);
    await test.remove(gone);
    const [last] = blobsOf(1, 1_000_000) as [Blob];
    const [next] = blobsOf(1, 1000) as [Blob];
    const release = test.hold();
    const puts = [test.put([last])];
    await test.stuck();
    puts.push(test.put([next])); // the pack is full: it makes room for another one once the last blob is published
    await test.stuck();
    const compacting = test.disk.compact();
    await test.stuck();
    release();
    await Promise.all([...puts, compacting]);
    await test.check([last, next]);
    await test.reopen();
    await test.check([last, next]);
  });

  it("publishes nothing before what lies before it in a pack, where copies are synced and the rest is not", async () => {
    await using test = await opened("off");
    const blobs = blobsOf(12, 300_000);
    await test.put(blobs);
    await test.remove(blobs.slice(0, 8));
    const release = test.holdOnceWritten();
    const compacting = test.disk.compact();
    await test.stuck();
    const late = blobsOf(2, 50_000);
    const putting = test.put(late);
    await test.stuck();
    release();
    await Promise.all([compacting, putting]);
    await test.reopen();
    await test.check([...blobs.slice(8), ...late]);
  });

  it("does not bring back what is removed while its copy waits", async () => {
    for (const durability of ["on", "off"] as const) {
      await using test = await opened(durability);
      const blobs = [...blobsOf(11, 300_000), ...blobsOf(1, 5000)];
      await test.put(blobs);
      await test.remove(blobs.slice(0, 8));
      const release = test.holdOnceWritten();
      const compacting = test.disk.compact();
      await test.stuck();
      const removing = test.remove(blobs.slice(11));
      release();
      await Promise.all([removing, compacting]);
      await test.reopen();
      await test.check(blobs.slice(8, 11));
      assert.ok(test.missing(blobs[11] as Blob));
    }
  });

  it("does not bring back what is removed after a compaction that was ended", async () => {
    await using test = await opened("on");
    const blobs = blobsOf(12, 300_000);
    await test.put(blobs);
    await test.remove(blobs.slice(9));
    const ending = new AbortController();
    test.onFault = (point) => {
      if (point === "copy switched") ending.abort();
    };
    assert.equal((await test.disk.compact(ending.signal)).packs, 0);
    await test.remove(blobs.slice(0, 1));
    await test.reopen();
    assert.ok(test.missing(blobs[0] as Blob));
    await test.check(blobs.slice(1, 9));
  });
});
