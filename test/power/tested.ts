import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Chance } from "./chance.ts";
import { checkStore } from "./check-store.ts";
import { type Check, cutPower } from "./cut-power.ts";
import { DiskHistory } from "./disk-history.ts";
import { writeDiskAfterCut } from "./power-cut.ts";
import { newFolder, type Recording, type Run, record, removeFolder } from "./record.ts";

/** POWER_CUTS=20 tries twenty times as many. */
const factor = Number(process.env.POWER_CUTS ?? 1);

export const newSeed = (): number => randomInt(2 ** 32);

/** Records some processes and cuts their power; throws, and keeps what is needed to see it again, where a store is left that is not as it should be. */
export async function surviveCuts(t: TestContext, runs: readonly Run[], cuts: number): Promise<void> {
  const folder = newFolder();
  await surviveCutsOf(t, await record(folder, runs), cuts);
  removeFolder(folder);
}

/** As `surviveCuts`, of what has been recorded. */
export async function surviveCutsOf(
  t: TestContext,
  recording: Recording,
  cuts: number,
  check: Check = checkStore,
): Promise<void> {
  const { folder, start, log, saidBefore } = recording;
  const history = new DiskHistory(start, log);
  const seed = newSeed();
  checkRecording(recording, history);
  const { states, failures } = await cutPower(history, { cuts: cuts * factor, seed, check, saidBefore });
  t.diagnostic(`${states} states of the disk, ${log.length} records, seed ${seed}`);
  const [first] = failures;
  if (first === undefined) return;
  const { cut, survival, seed: chance } = first.state;
  t.diagnostic(`again: node test/power/replay.ts ${folder} ${cut} "${survival}" ${chance}`);
  throw new Error(`${failures.length} of ${states} states are not as they should be`, { cause: first.error });
}

/** Throws unless all that happened to the disk was recorded: played back it is what lies there now. */
function checkRecording({ folder, log }: Recording, history: DiskHistory): void {
  const played = join(folder, "played");
  writeDiskAfterCut(history, log.length, "everything", new Chance(0), played);
  assert.deepEqual(contentOf(played), contentOf(join(folder, "disk")), "everything was recorded");
  rmSync(played, { recursive: true });
}

/** Paths and bytes, but for those of SQLite's memory of readers, which is mapped and means nothing after a power cut. */
function contentOf(directory: string): Map<string, Buffer | undefined> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return new Map(
    paths.map((path) => {
      const whole = join(directory, path);
      return [path, statSync(whole).isDirectory() || path.endsWith("-shm") ? undefined : readFileSync(whole)];
    }),
  );
}

/** A folder with the disk that a power cut left, to go on with. */
export function folderAfterCut(history: DiskHistory, cut: number, chance: Chance): string {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  writeDiskAfterCut(history, cut, "anything", chance, join(folder, "disk"));
  return folder;
}
