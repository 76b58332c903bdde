import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chance } from "./chance.ts";
import type { DiskHistory } from "./disk-history.ts";
import { type Survival, writeDiskAfterCut } from "./power-cut.ts";

/** A state of the disk: what `survival` and a seed leave of it when the power fails before place `cut` of the log. */
export interface DiskState {
  readonly cut: number;
  readonly survival: Survival;
  readonly seed: number;
}

/** Throws where a store does not keep what had been said until the power failed; `all` is what is ever said. */
export type Check = (store: string, said: readonly string[], all: readonly string[]) => Promise<void>;

export interface CutOptions {
  readonly cuts: number;
  readonly seed: number;
  readonly check: Check;
  /** What had been said before the log begins. */
  readonly saidBefore: readonly string[];
  /** The first failure is enough. */
  readonly untilFailure?: boolean;
}

export interface CutFailure {
  readonly state: DiskState;
  readonly error: Error;
}

/** States for each cut: that in which all is lost that was not synced, one of the other extremes, and two by chance. */
const survivals: readonly Survival[] = ["nothing", "anything", "anything"];
const extremes: readonly Survival[] = ["everything", "only names", "only bytes"];

/** States that are checked at once: while one waits for its threads another one is busy. */
const atOnce = 4;

/** Cuts the power at some points of a history and checks the stores that are left. */
export async function cutPower(
  history: DiskHistory,
  options: CutOptions,
): Promise<{ states: number; failures: CutFailure[] }> {
  const chance = new Chance(options.seed);
  const states = chooseCuts(history, options.cuts, chance).flatMap((cut) =>
    [...survivals, chance.pick(extremes)].map((survival) => ({ cut, survival, seed: chance.below(2 ** 32) })),
  );
  const failures: CutFailure[] = [];
  let checked = 0;
  const lane = async (): Promise<void> => {
    while (checked < states.length && !(options.untilFailure && failures.length > 0)) {
      const state = states[checked++] as DiskState;
      await checkState(history, state, options).catch((error) => failures.push({ state, error }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { states: checked, failures };
}

/** Checks one state of the disk. */
export async function checkState(
  history: DiskHistory,
  { cut, survival, seed }: DiskState,
  { saidBefore, check }: Pick<CutOptions, "saidBefore" | "check">,
): Promise<void> {
  const memory = "/dev/shm";
  const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), "stillage-power-"));
  try {
    const disk = join(folder, "disk");
    writeDiskAfterCut(history, cut, survival, new Chance(seed), disk);
    await check(
      join(disk, "store"),
      [...saidBefore, ...saidUntil(history, cut)],
      [...saidBefore, ...saidUntil(history, history.length)],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function saidUntil({ said }: DiskHistory, cut: number): string[] {
  return said.filter(({ at }) => at < cut).map(({ text }) => text);
}

/** Half of them at and around syncs and what was said, the others anywhere; the end is one. */
function chooseCuts({ length, marks }: DiskHistory, count: number, chance: Chance): number[] {
  const cuts = new Set([length]);
  while (cuts.size < Math.min(count, length)) {
    cuts.add(chance.once(2) ? chance.pick(marks) + chance.below(2) : chance.below(length + 1));
  }
  return [...cuts];
}
