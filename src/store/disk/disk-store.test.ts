import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import type { Digest } from "../../base/digest.ts";
import { silentLog } from "../../base/log.ts";
import { blobBatchContract } from "../blob-batch.contract.ts";
import { blobCensusContract } from "../blob-census.contract.ts";
import { blobStagingContract } from "../blob-staging.contract.ts";
import { blobStoreContract } from "../blob-store.contract.ts";
import { type DiskStoreOptions, openDiskStore } from "./open-store.ts";

for (const durability of ["on", "off"] as const) {
  const open = async (given: Partial<DiskStoreOptions>) => {
    const directory = await mkdtemp(join(tmpdir(), "store-"));
    const admin = await openDiskStore(directory, { durability, clock: systemClock, log: silentLog, ...given });
    const store = admin.tenant("main");
    return {
      store,
      admin,
      remove: (digest: Digest) => store.remove(digest),
      census: () => admin.census(),
      removals: () => admin.removals(),
      [Symbol.asyncDispose]: async () => {
        await admin.close();
        await rm(directory, { recursive: true });
      },
    };
  };
  blobStoreContract(`disk, durability ${durability}`, open);
  blobBatchContract(`disk, durability ${durability}`, open);
  blobStagingContract(`disk, durability ${durability}`, open);
  blobCensusContract(`disk, durability ${durability}`, open);
}
