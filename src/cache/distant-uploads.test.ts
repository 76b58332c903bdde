import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { silentLog } from "../base/log.ts";
import { ThreadLine } from "../base/thread-line.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { HeldCalls } from "../store/disk/held-calls.fixture.ts";
import { type DiskStore, openDiskStore } from "../store/disk/open-store.ts";
import { DistantStore } from "../store/threads/distant-store.ts";
import { plainDigest } from "../store/threads/plain.ts";
import { type DoorAsks, type StoreAsks, StoreDesk } from "../store/threads/store-desk.ts";
import { DistantUploads } from "./distant-uploads.ts";
import { recallUpload, type UploadAsks, UploadDesk } from "./upload-desk.ts";
import { type UploadKey, Uploads } from "./uploads.ts";

/** A worker's two ends: the one with doors, and what the store knows of it. */
class Side implements Disposable {
  readonly uploads: DistantUploads;
  readonly blobs: BlobStore;
  readonly desk: UploadDesk;
  private readonly store: StoreDesk;
  private readonly line: ThreadLine<DoorAsks>;
  private readonly ports = new MessageChannel();

  constructor(disk: DiskStore, table: Uploads) {
    const { port1, port2 } = this.ports;
    this.store = new StoreDesk(
      (instance) => disk.tenant(instance),
      (number) => this.line.ask("recallUpload", number),
    );
    this.desk = new UploadDesk(table, this.store);
    this.line = new ThreadLine<DoorAsks>(port1, { ...this.store.answers(), ...this.desk.answers() });
    const line = new ThreadLine<StoreAsks & UploadAsks>(port2, {
      recallUpload: (number: number) => this.uploads.recall(number),
    } satisfies DoorAsks);
    const distant = new DistantStore(line);
    this.uploads = new DistantUploads(line, distant);
    this.blobs = distant.tenant("");
  }

  get held(): number {
    return this.store.held;
  }

  /** As when the worker has ended. */
  async die(): Promise<void> {
    this.ports.port1.close();
    this.line.close(new StillageError("unavailable", "the worker has ended"));
    await this.desk.end();
    await this.store.close();
  }

  /** Waits until all that has been said before was heard on both sides. */
  async heard(): Promise<void> {
    await this.uploads.received(key);
  }

  [Symbol.dispose](): void {
    this.ports.port1.close();
  }
}

async function withSides(
  body: (one: Side, other: Side, disk: DiskStore, incoming: () => string[], directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "store-"));
  const disk = await openDiskStore(directory, { durability: "on", clock: systemClock, log: silentLog });
  const table = new Uploads(systemClock, recallUpload);
  try {
    using one = new Side(disk, table);
    using other = new Side(disk, table);
    const inside = join(directory, "tenants/@/sha256/incoming");
    await body(one, other, disk, () => readdirSync(inside), inside);
    await table.stop();
    assert.deepEqual([one.held, other.held], [0, 0], "nothing is lent any more");
  } finally {
    await disk.close();
    rmSync(directory, { recursive: true });
  }
}

const bytes = randomBytes(5_000_001);
const digest = digestOf(sha256, bytes);
const key: UploadKey = { instance: "", upload: "u", digest };
const half = 2_500_000;
const isThere = (disk: DiskStore, which: Digest): boolean => disk.tenant("").missing(DigestList.of(which)).length === 0;

describe("an upload of which two threads take parts", () => {
  it("goes on in one where it stopped in the other, and is verified whole", () =>
    withSides(async (one, other, disk) => {
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes.subarray(0, half));
      assert.equal(await other.uploads.received(key), half, "while it is under way");
      await one.uploads.suspend(begun);
      assert.equal(await other.uploads.received(key), half);
      const going = await other.uploads.open(other.blobs, key, half - 10);
      await going.write(bytes.subarray(half - 10, half + 100_000));
      await other.uploads.suspend(going);
      const last = await one.uploads.open(one.blobs, key, half + 100_000);
      await last.write(bytes.subarray(half + 100_000));
      assert.ok(!isThere(disk, digest));
      await last.finish();
      await one.uploads.close(last);
      assert.ok(isThere(disk, digest));
    }));

  it("is refused where the parts do not make the blob, and leaves nothing", () =>
    withSides(async (one, other, disk, incoming) => {
      const before = disk.usage();
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(randomBytes(half));
      await one.uploads.suspend(begun);
      const going = await other.uploads.open(other.blobs, key, half);
      await going.write(bytes.subarray(half));
      await assert.rejects(async () => going.finish(), { code: "invalid" });
      await other.uploads.close(going);
      assert.deepEqual([disk.usage(), incoming()], [before, []]);
    }));

  it("is taken from a client that still seems to be there, small ones too", () =>
    withSides(async (one, other, disk) => {
      const small = randomBytes(5000);
      for (const each of [bytes, small]) {
        const named = { ...key, digest: digestOf(sha256, each) };
        const at = each.length >> 1;
        const begun = await one.uploads.open(one.blobs, named, 0);
        await begun.write(each.subarray(0, at));
        const going = await other.uploads.open(other.blobs, named, at);
        await assert.rejects(async () => begun.write(each.subarray(at)), { code: "aborted" });
        await one.uploads.close(begun);
        await going.write(each.subarray(at));
        await going.finish();
        await other.uploads.close(going);
        assert.ok(isThere(disk, named.digest));
      }
    }));

  it("waits for its client though the thread that began it has ended", () =>
    withSides(async (one, other, disk) => {
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes.subarray(0, half));
      await one.uploads.suspend(begun);
      await one.die();
      const going = await other.uploads.open(other.blobs, key, half);
      await going.write(bytes.subarray(half));
      await going.finish();
      await other.uploads.close(going);
      assert.ok(isThere(disk, digest));
    }));

  it("is given up with the thread that was at it", () =>
    withSides(async (one, other, disk, incoming) => {
      const before = disk.usage();
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes.subarray(0, half));
      assert.notDeepEqual(disk.usage(), before);
      await one.die();
      assert.deepEqual([disk.usage(), incoming()], [before, []]);
      assert.equal(await other.uploads.received(key), undefined);
      await assert.rejects(other.uploads.open(other.blobs, key, half), { code: "out-of-range" });
    }));

  it("makes room for others while it waits, whichever thread began it", () =>
    withSides(async (one, other, _, incoming) => {
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes.subarray(0, half));
      await one.uploads.suspend(begun);
      const again = await other.uploads.open(other.blobs, key, 0);
      await again.write(bytes.subarray(0, 10));
      await other.uploads.close(again);
      assert.deepEqual(incoming(), []);
    }));

  for (const [offset, what] of [
    [4_000_000, "beyond what has come"],
    [900_000, "where it stopped"],
  ] as const) {
    it(`cannot go on ${what} while it is given up, and its file is not closed before it is written`, () =>
      withSides(async (one, other, _, incoming) => {
        using writes = new HeldCalls("write");
        const begun = await one.uploads.open(one.blobs, key, 0);
        await begun.write(bytes.subarray(0, 900_000));
        await writes.next();
        const suspended = one.uploads.suspend(begun); // what is so short is not kept
        const opening = other.uploads.open(other.blobs, key, offset);
        const refused = assert.rejects(opening, { code: "out-of-range" });
        for (const side of [other, one, one]) await side.heard();
        writes.letGo();
        await Promise.all([suspended, refused]);
        assert.deepEqual([writes.closedEarly, incoming()], [[], []]);
      }));
  }

  it("has one writer where two clients go on at the same moment", () =>
    withSides(async (one, other, disk) => {
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes.subarray(0, half));
      await one.uploads.suspend(begun);
      const sides = [one, other];
      const opened = await Promise.allSettled(sides.map(({ uploads, blobs }) => uploads.open(blobs, key, half)));
      let writers = 0;
      for (const [i, { uploads }] of sides.entries()) {
        const each = opened[i];
        if (each?.status !== "fulfilled") continue;
        const turn = each.value;
        if (!turn.superseded) {
          writers++;
          await turn.write(bytes.subarray(half));
          await turn.finish();
        }
        await uploads.close(turn);
      }
      assert.equal(writers, 1);
      assert.ok(isThere(disk, digest));
    }));

  it("gives back what it held where its file cannot be closed", () =>
    withSides(async (one, _other, disk, incoming, directory) => {
      const before = disk.usage();
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes);
      using closes = new HeldCalls("close", directory);
      const finished = assert.rejects(async () => begun.finish());
      (await closes.next()).fail("EIO");
      closes.letGo();
      await finished;
      await one.uploads.close(begun);
      assert.deepEqual([disk.usage(), incoming()], [before, []]);
    }));

  it("belongs to nobody's turn where it is begun while the thread's other uploads are given up", () =>
    withSides(async (one, other, _, incoming) => {
      const begun = await one.uploads.open(one.blobs, key, 0);
      await begun.write(bytes.subarray(0, 10));
      const late = { instance: "", upload: "late", digest: plainDigest(digest) };
      const opening = one.desk.answers().openTurn(late, 0);
      const refused = assert.rejects(opening, { code: "unavailable" });
      await one.die();
      await refused;
      assert.equal(await other.uploads.received({ ...key, upload: "late" }), undefined);
      assert.deepEqual(incoming(), []);
    }));
});
