import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import type { Digest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { blob, read, upload } from "../blob-store.contract.ts";
import type { BlobStore } from "../blob-store.ts";
import { openDiskStore } from "./open-store.ts";

const options = { durability: "on", clock: Date.now, log: silentLog } as const;

it("blobs of every alignment are what they were, at once and after a restart", async () => {
  const directory = await mkdtemp(join(tmpdir(), "store-"));
  try {
    const large = [0, 1, 511, 4095, 4096, 4097].map((more) => blob(sha256, (4 << 20) + more));
    const small = Array.from({ length: 400 }, (_, i) => blob(sha256, 1 + ((i * 7919) % 20_000)));
    let disk = await openDiskStore(directory, options);
    let store: BlobStore = disk.tenant("t");
    for (const group of [small.slice(0, 150), small.slice(150, 151), small.slice(151)]) {
      const write = async ({ digest, bytes }: { digest: Digest; bytes: Buffer }) => {
        await store.put(digest, bytes);
        assert.deepEqual(await read(store, digest), bytes); // while others are being written beside it
      };
      await Promise.all(group.map(write));
    }
    await Promise.all(large.map(({ digest, bytes }) => upload(store, digest, bytes)));
    await disk.close();

    disk = await openDiskStore(directory, options);
    store = disk.tenant("t");
    for (const { digest, bytes } of [...small, ...large]) assert.deepEqual(await read(store, digest), bytes);
    await disk.close();
    const lengths = await lengthsBelow(join(directory, "tenants/t/sha256/files"));
    assert.deepEqual(
      lengths,
      large.map(({ digest }) => digest.size),
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** The lengths of all files below a directory, in order. */
async function lengthsBelow(directory: string): Promise<number[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const stats = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))));
  return stats.map(({ size }) => size).sort((a, b) => a - b);
}
