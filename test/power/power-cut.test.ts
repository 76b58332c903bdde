import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import { Chance } from "./chance.ts";
import { saidUntil } from "./cut-power.ts";
import { DiskHistory } from "./disk-history.ts";
import { newFolder, type Run, record, removeFolder } from "./record.ts";
import { folderAfterCut, newSeed, surviveCuts, surviveCutsOf } from "./tested.ts";

/** Each with the cuts that a test makes, and the records of the log that it has at least. */
const workloads = [
  { workload: "packs.ts", cuts: 30, records: 500 },
  { workload: "files.ts", cuts: 30, records: 350 },
  { workload: "compaction.ts", cuts: 24, records: 500 },
  { workload: "refs.ts", cuts: 12, records: 3000 },
] as const;

/** Where the numbers of blobs begin that a second process puts; a multiple of three, as the first. */
const later = 12_000;

/** What a process does first is done once: names are made, headers written. */
const beginning = 100;

describe("a store whose power is cut keeps what it acknowledged", { timeout: 3_600_000 }, () => {
  for (const { workload, cuts, records } of workloads) {
    const run = (first: number, durability: "on" | "off", killAfter = 0): Run => ({
      workload,
      args: [String(first), durability],
      killAfter,
    });

    it(`at any moment of ${workload}`, (t) => surviveCuts(t, [run(0, "on")], cuts));

    it(`in a process that follows one that was killed in ${workload}`, async (t) => {
      const killAfter = randomInt(1, randomInt(2) === 0 ? beginning : records);
      t.diagnostic(`killed after ${killAfter} records`);
      await surviveCuts(t, [run(0, "on", killAfter), run(later, "on")], cuts / 3);
    });

    it(`in a process that follows a power cut in ${workload}`, async (t) => {
      const seed = newSeed();
      t.diagnostic(`seed ${seed}`);
      const chance = new Chance(seed);
      const first = await record(newFolder(), [run(0, "on")]);
      const history = new DiskHistory(first.start, first.log);
      const cut = chance.below(history.length);
      const folder = folderAfterCut(history, cut, chance);
      await surviveCutsOf(t, await record(folder, [run(later, "on")], saidUntil(history, cut)), cuts / 3);
      removeFolder(first.folder);
      removeFolder(folder);
    });

    it(`in ${workload} without durability, as far as it is whole, and all of it once that is on`, async (t) => {
      await surviveCuts(t, [run(0, "off"), run(0, "on")], cuts / 3);
    });
  }
});
