import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { read } from "../blob-store.contract.ts";
import { type DiskStore, openDiskStore } from "./open-store.ts";
import type { Sharing } from "./shared-bytes.ts";

const bytes = Buffer.alloc(3_000_000, "large,");
const digest = digestOf(sha256, bytes);

const open = (folder: string, quota?: number): Promise<DiskStore> => {
  const options = { durability: "on", clock: systemClock, log: silentLog } as const;
  return openDiskStore(join(folder, "store"), { ...options, ...(quota === undefined ? {} : { quota }) });
};

interface Place extends AsyncDisposable {
  readonly folder: string;
  store: DiskStore;
  /** A file elsewhere. */
  readonly source: string;
}

async function openPlace(quota?: number): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "stillage-share-"));
  const source = join(folder, "source");
  writeFileSync(source, bytes);
  const place: Place = {
    folder,
    source,
    store: await open(folder, quota),
    async [Symbol.asyncDispose]() {
      await place.store.close();
      rmSync(folder, { recursive: true });
    },
  };
  return place;
}

const incoming = ({ folder }: Place): string[] => readdirSync(join(folder, "store/tenants/@/sha256/incoming"));

for (const sharing of ["link", "clone"] as const satisfies Sharing[]) {
  describe(`a file that is shared by a ${sharing}`, () => {
    it("is a blob, also for the next process, and the other file stays", async () => {
      await using place = await openPlace();
      const { store, source, folder } = place;
      const shared = await store.tenant("").share(digest, source, sharing);
      if (sharing === "link") assert.equal(shared, true);
      assert.deepEqual(incoming(place), []);
      assert.equal(store.usage().blobs, shared ? 1 : 0);
      if (!shared) return assert.equal(store.usage().bytes, 0); // the file system does not clone
      assert.deepEqual(await read(store.tenant(""), digest), bytes);
      assert.equal(statSync(source).mode & 0o777, sharing === "link" ? 0o444 : 0o644);
      await store.close();
      place.store = await open(folder);
      assert.deepEqual(await read(place.store.tenant(""), digest), bytes);
      await place.store.tenant("").remove(digest);
      assert.equal(place.store.usage().blobs, 0);
      assert.equal(statSync(source).nlink, 1);
    });

    it("is refused where its bytes are others, or there is no room, and leaves nothing", async () => {
      await using place = await openPlace(4_000_000);
      const { store, source } = place;
      chmodSync(source, 0o664);
      const others: Digest = digestOf(sha256, Buffer.alloc(3_000_000, "others"));
      const refused = store.tenant("").share(others, source, sharing);
      if (sharing === "link") await assert.rejects(refused, { code: "invalid" });
      else await refused.catch((error) => assert.equal(error.code, "invalid"));
      assert.deepEqual(incoming(place), []);
      assert.equal(store.usage().bytes, 0);
      assert.deepEqual([statSync(source).nlink, statSync(source).mode & 0o777], [1, 0o664]);
      const large = digestOf(sha256, Buffer.alloc(5_000_000));
      await assert.rejects(store.tenant("").share(large, source, sharing), { code: "exhausted" });
    });

    it("is dropped where the blob is there", async () => {
      await using place = await openPlace();
      const { store, source } = place;
      await store.tenant("").put(digest, bytes);
      const before = store.usage().bytes;
      await store.tenant("").share(digest, source, sharing);
      assert.deepEqual([store.usage().bytes, incoming(place)], [before, []]);
      assert.equal(statSync(source).nlink, 1);
    });
  });
}

it("a file that is not there cannot be shared", async () => {
  await using place = await openPlace();
  const absent = join(place.folder, "absent");
  await assert.rejects(place.store.tenant("").share(digest, absent, "link"), { code: "internal" });
  assert.equal(place.store.usage().bytes, 0);
});
