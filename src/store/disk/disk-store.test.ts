import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import type { Digest } from "../../base/digest.ts";
import { silentLog } from "../../base/log.ts";
import { blobStagingContract } from "../blob-staging.contract.ts";
import { blobStoreContract } from "../blob-store.contract.ts";
import { openDiskStore } from "./open-store.ts";

for (const durability of ["on", "off"] as const) {
  const open = async ({ quota }: { readonly quota?: number }) => {
    const directory = await mkdtemp(join(tmpdir(), "store-"));
    const options = { durability, clock: systemClock, log: silentLog, ...(quota === undefined ? {} : { quota }) };
    const admin = await openDiskStore(directory, options);
    const store = admin.tenant("main");
    return {
      store,
      admin,
      remove: (digest: Digest) => store.remove(digest),
      [Symbol.asyncDispose]: async () => {
        await admin.close();
        await rm(directory, { recursive: true });
      },
    };
  };
  blobStoreContract(`disk, durability ${durability}`, open);
  blobStagingContract(`disk, durability ${durability}`, open);
}
