import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { silentLog } from "../../base/log.ts";
import { read } from "../blob-store.contract.ts";
import type { FaultPoint } from "./faults.ts";
import { openDiskStore } from "./open-store.ts";

/** Opens the store that lies in `directory`, failing at a point of its write paths. */
const open = (directory: string, at?: FaultPoint) =>
  openDiskStore(directory, {
    durability: "on",
    clock: systemClock,
    log: silentLog,
    faults: {
      reach: (point) => {
        if (point === at) throw Object.assign(new Error("the disk fails"), { code: "EIO" });
      },
    },
  });

describe("a staged blob", () => {
  for (const point of ["file synced", "file journaled", "file moved"] as const) {
    it(`whose publication fails at "${point}" is not there, and leaves neither file nor reserved room`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "store-"));
      const bytes = randomBytes(3_000_000);
      const digest = digestOf(sha256, bytes);
      const incoming = join(directory, "tenants/@/sha256/incoming");
      try {
        const failing = await open(directory, point);
        const staged = await failing.tenant("").stage(sha256);
        await staged.write(bytes);
        await assert.rejects(staged.finish(), { code: "internal" });
        await staged.abort();
        assert.deepEqual(failing.tenant("").missing(DigestList.of(digest)), [0]);
        await failing.close();

        const store = await open(directory);
        assert.deepEqual(existsSync(incoming) ? readdirSync(incoming) : [], []);
        const before = store.usage();
        const again = await store.tenant("").stage(sha256);
        await again.write(bytes);
        await again.finish();
        assert.deepEqual(await read(store.tenant(""), digest), bytes);
        assert.equal(store.usage().blobs, before.blobs + (before.blobs === 0 ? 1 : 0));
        await store.close();
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  it("that is given up while its file is made, or while it waits for room, leaves nothing", async () => {
    const directory = mkdtempSync(join(tmpdir(), "store-"));
    const quota = 9_000_000;
    const store = await openDiskStore(directory, { durability: "on", clock: systemClock, log: silentLog, quota });
    try {
      const tenant = store.tenant("");
      const first = await tenant.stage(sha256);
      const opening = first.write(randomBytes(2_000_000));
      await Promise.all([first.abort(), assert.rejects(async () => opening, { code: "aborted" })]);
      assert.equal(store.usage().bytes, 0);

      using _ = store.makingRoom();
      const bytes = randomBytes(8_000_000);
      const large = await tenant.upload(digestOf(sha256, bytes));
      const second = await tenant.stage(sha256);
      await second.write(randomBytes(900_000));
      const waiting = second.write(randomBytes(900_000));
      while (readdirSync(join(directory, "tenants/@/sha256/incoming")).length < 2) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await second.abort();
      await Promise.all([large.abort(), assert.rejects(async () => waiting, { code: "aborted" })]);
      assert.equal(store.usage().bytes, 0);
      assert.deepEqual(readdirSync(join(directory, "tenants/@/sha256/incoming")), []);
    } finally {
      await store.close();
      rmSync(directory, { recursive: true });
    }
  });

  it("grows under a name that is no blob's", async () => {
    const directory = mkdtempSync(join(tmpdir(), "store-"));
    try {
      const store = await open(directory);
      const staged = await store.tenant("").stage(sha256);
      await staged.write(randomBytes(2_000_000));
      const [name = ""] = readdirSync(join(directory, "tenants/@/sha256/incoming"));
      assert.match(name, /^0{64}\.\d+$/);
      await staged.abort();
      assert.deepEqual(readdirSync(join(directory, "tenants/@/sha256/incoming")), []);
      await store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
