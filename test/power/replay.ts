import { Chance } from "./chance.ts";
import { checkStore } from "./check-store.ts";
import { checkState, type DiskState } from "./cut-power.ts";
import { DiskHistory } from "./disk-history.ts";
import { type Survival, writeDiskAfterCut } from "./power-cut.ts";
import { readRecording } from "./record.ts";

/**
 * Checks once more a state of the disk that a test found wanting, from what it kept, or writes that disk to a directory, to be looked at.
 *
 *     node test/power/replay.ts FOLDER CUT SURVIVAL SEED [DIRECTORY]
 */
const [folder = "", cut, survival, seed, target] = process.argv.slice(2);
const { start, log, saidBefore } = readRecording(folder);
const history = new DiskHistory(start, log);
const state: DiskState = { cut: Number(cut), survival: survival as Survival, seed: Number(seed) };
if (target === undefined) await checkState(history, state, { saidBefore, check: checkStore });
else writeDiskAfterCut(history, state.cut, state.survival, new Chance(state.seed), target);
