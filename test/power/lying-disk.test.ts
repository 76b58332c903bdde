import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { checkStore } from "./check-store.ts";
import { cutPower } from "./cut-power.ts";
import { DiskHistory } from "./disk-history.ts";
import { newFolder, type Recording, record, removeFolder } from "./record.ts";
import { newSeed } from "./tested.ts";

/**
 * What shows that the checks find a broken promise: a disk that lies about some syncs loses what they were for, and that has to be
 * noticed. For each workload: what the syncs are for, and the paths of what is then not synced.
 */
const lies = [
  {
    workload: "packs.ts",
    about: [
      ["anything", /^/],
      ["records of packs", /\.pack$/],
      ["names of packs", /\/packs$/],
      ["index files, where removals are", /\.idx$/],
      ["names of tenants", /\/tenants$/],
      ["the stamp", /\/format\.new$/],
    ],
  },
  {
    workload: "files.ts",
    about: [
      ["bytes of large blobs", /\/incoming\//],
      ["names of large blobs", /\/incoming$/],
      ["the journal", /\/files\.idx$/],
      ["the journal that is written anew", /\/files\.idx\.new$/],
    ],
  },
  {
    workload: "compaction.ts",
    about: [
      ["names of packs", /\/packs$/],
      ["records of packs", /\.pack$/],
    ],
  },
  {
    workload: "refs.ts",
    about: [
      ["SQLite's journal", /-wal$/],
      ["SQLite's database", /\.sqlite$/],
    ],
  },
] as const;

for (const { workload, about } of lies) {
  describe(`a disk that lies to ${workload} is found out when it does so about`, () => {
    let recording: Recording;
    before(async () => {
      recording = await record(newFolder(), [{ workload, args: ["0", "on"] }]);
    });
    after(() => removeFolder(recording.folder));

    for (const [what, paths] of about) {
      it(what, async (t) => {
        const seed = newSeed();
        t.diagnostic(`seed ${seed}`);
        const { start, log, saidBefore } = recording;
        let lied = 0;
        const history = new DiskHistory(start, log, (path) => {
          if (!paths.test(path)) return true;
          lied++;
          return false;
        });
        const options = { cuts: 100, seed, check: checkStore, saidBefore, untilFailure: true };
        const { states, failures } = await cutPower(history, options);
        t.diagnostic(`${lied} lies, found out in state ${states}: ${failures[0]?.error.message.split("\n")[0]}`);
        assert.ok(failures.length > 0, `${lied} lies were not found out in ${states} states`);
      });
    }
  });
}
