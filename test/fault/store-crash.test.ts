import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { parseDigest } from "../../src/base/digest.ts";
import { storedFunctionOfName } from "../../src/base/digest-function.ts";
import { DigestList } from "../../src/base/digest-list.ts";
import { silentLog } from "../../src/base/log.ts";
import { read } from "../../src/store/blob-store.contract.ts";
import { type DiskStore, openDiskStore } from "../../src/store/disk/open-store.ts";
import { tenantOfDirectory } from "../../src/store/disk/tenant-name.ts";
import { blobOf, liesInFile, temporaryDirectory } from "./store-blobs.ts";

const points = [
  "pack created",
  "pack written",
  "pack synced",
  "index written",
  "file synced",
  "file journaled",
  "file moved",
  "removal journaled",
  "index rewritten",
  "index replaced",
] as const;

const compactionPoints = ["blobs removed", "copy switched", "pack copied", "pack renamed", "pack deleted"] as const;

/** Numbers of the blobs that a writer said to have, and to be removing. */
interface Said {
  readonly has: Set<number>;
  readonly removing: Set<number>;
}

describe("a store whose process is killed", { concurrency: 2 }, () => {
  for (const durability of ["on", "off"] as const) {
    for (const point of [...points, ...(durability === "on" ? compactionPoints : compactionPoints.slice(1, 2))]) {
      const mode = points.some((each) => each === point) ? "writing" : "compacting";
      it(`at "${point}", durability ${durability}, keeps what it acknowledged`, async () => {
        await using directory = await temporaryDirectory();
        const first = await runWriter(directory.path, [durability, "0", mode, point, "1"]);
        await check(directory.path, first, 0, durability);
        const second = await runWriter(directory.path, [durability, "100000", mode, point, "2"]);
        await check(directory.path, second, 100_000, durability);
        await check(directory.path, first, 0, durability);
      });
    }

    for (const mode of ["writing", "compacting"]) {
      it(`again and again at any moment, ${mode}, durability ${durability}, keeps what it acknowledged`, async (t) => {
        await using directory = await temporaryDirectory();
        const runs: Said[] = [];
        for (let run = 0; run < 4; run++) {
          const lines = randomInt(3000);
          t.diagnostic(`run ${run}: killed after ${lines} lines`);
          runs.push(await runWriter(directory.path, [durability, String(run * 100_000), mode], lines));
          await check(directory.path, runs[run] as Said, run * 100_000, durability);
        }
        for (const [i, said] of runs.entries()) await check(directory.path, said, i * 100_000, durability);
      });
    }
  }
});

/** Runs a writer until it kills itself, or is killed after some lines, and returns what it said. */
async function runWriter(directory: string, args: string[], lines = Number.POSITIVE_INFINITY): Promise<Said> {
  const program = join(import.meta.dirname, "store-writer.ts");
  const child = spawn(process.execPath, [program, directory, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  const said: Said = { has: new Set(), removing: new Set() };
  let count = 0;
  for await (const line of createInterface(child.stdout)) {
    const [what, number] = line.split(" ");
    said[what === "has" ? "has" : "removing"].add(Number(number));
    if (++count >= lines) child.kill("SIGKILL");
  }
  assert.equal(await ended, "SIGKILL");
  return said;
}

/** Opens the store and checks every blob that the writer may have come to. */
async function check(
  directory: string,
  { has, removing }: Said,
  first: number,
  durability: "on" | "off",
): Promise<void> {
  const disk = await openDiskStore(directory, { durability, clock: systemClock, log: silentLog });
  try {
    const last = Math.max(first, ...has, ...removing) + 1000;
    for (let number = first; number < last; number++) {
      const blob = blobOf(number);
      const store = disk.tenant(blob.tenant);
      if (store.missing(DigestList.of(blob.digest)).length === 0) {
        assert.ok(blob.bytes.equals(await read(store, blob.digest)), `blob ${number} is whole`);
      } else {
        const lost = has.has(number) && !removing.has(number) && !(durability === "off" && liesInFile(number));
        assert.ok(!lost, `blob ${number} is there`);
      }
    }
    assert.deepEqual(leftovers(directory, disk), [], "nothing is left behind");
    await goesOn(disk);
  } finally {
    await disk.close();
  }
}

async function goesOn(disk: DiskStore): Promise<void> {
  for (const number of [9_000_001, 9_000_099]) {
    const { tenant, digest, bytes } = blobOf(number);
    await disk.tenant(tenant).put(digest, bytes);
    assert.deepEqual(await read(disk.tenant(tenant), digest), bytes);
  }
}

/** Files that are neither of the store's format nor of a large blob that it has. */
function leftovers(directory: string, disk: DiskStore): string[] {
  const known = /^(format|lock|tenants\/[^/]+\/(sha\d+|ostree)\/(files\.idx|packs\/\d{8}\.(pack|idx)))$/;
  const large = /^tenants\/([^/]+)\/(sha\d+|ostree)\/files\/[0-9a-f]{2}\/([0-9a-f]+)\.\d+$/;
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => {
      const [, tenant, name = "", hash] = large.exec(path) ?? [];
      if (tenant === undefined || hash === undefined) return !known.test(path);
      const digest = parseDigest(hash, statSync(join(directory, path)).size, storedFunctionOfName(name));
      return disk.tenant(tenantOfDirectory(tenant) ?? "").missing(DigestList.of(digest)).length > 0;
    });
}
