import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { openPlan } from "../expiry/open-plan.ts";
import type { Plan } from "../expiry/plan.ts";
import { StoppableSlices } from "../expiry/slices.ts";
import { excessOf } from "../expiry/sweep.ts";
import { SweepClock } from "../expiry/sweep-clock.ts";
import type { Reason } from "../expiry/verdicts.ts";
import { isLocked } from "../store/disk/directory-lock.ts";
import { readCensus } from "../store/disk/read-only-census.ts";
import { checkReadable } from "../store/disk/read-only-store.ts";
import { reclaimable } from "../store/disk/shelf-compaction.ts";
import type { RefName } from "../store/ref-store.ts";
import { openRefs } from "../store/sqlite/read-only-refs.ts";
import type { ExpiryConfig } from "./expiry-settings.ts";
import { counted, humanAge, humanSize, printable } from "./human-text.ts";
import { type Output, standardOutput } from "./output.ts";

/** A ref that would go. */
interface Going extends RefName {
  /** Milliseconds since 1970. */
  readonly used: number;
  readonly reason: Reason;
}

interface Preview {
  readonly refs: number;
  readonly blobs: number;
  readonly bytes: number;
  /** On the disk now. */
  readonly bytesBefore: number;
}

/** Why something goes, for people. */
export function reasonText({ rule, scope }: Reason): string {
  if (rule === "expires") return "its own date has passed";
  if (rule === "quota") return "there is not enough room";
  const whose = scope === "" ? "" : ` of ${scope}`;
  return rule === "age" ? `older than the age${whose}` : `beyond the size${whose}`;
}

/** Says what a sweep would remove now; reads, and changes nothing. */
export async function previewSweep(config: ExpiryConfig, json: boolean, signal: AbortSignal): Promise<void> {
  const { store, settings, room } = config;
  const directory = checkReadable(store);
  const file = join(directory, "refs.sqlite");
  // Where no server has the store, its time stands still until one has.
  const clock = new SweepClock({ wall: systemClock, monotonic: () => performance.now(), leaseMs: settings.lease });
  if (isLocked(directory)) clock.resume(systemClock());
  const refs = openRefs(file);
  try {
    const { census, use } = readCensus(directory, settings.lease);
    const size = refs.size();
    const bytesBefore = use.bytes + size.bytes - size.free;
    const leave = room !== undefined && bytesBefore >= room.high ? room.low : undefined;
    const excess = excessOf({ bytes: bytesBefore, reclaimable: reclaimable(use.dead, use.bytes) }, leave);
    const slices = new StoppableSlices(signal);
    const { plan } = await openPlan({ census, refs, order: await refs.order(), clock, settings, excess, slices });
    await plan.choose();
    let [blobs, bytes] = [0, 0];
    await plan.fates.eachThatGoes((_, shelf, number) => {
      blobs++;
      bytes += shelf.census.room(number);
    });
    const going = (): Iterable<Going> => goingOf(plan, (id) => [...refs.rootsOf([id])][0]);
    const count = [...plan.chosen()].length;
    const preview = { refs: count, blobs, bytes, bytesBefore };
    const output = standardOutput();
    if (json) await writeJson(output, preview, going());
    else await writeText(output, preview, going(), room?.quota);
  } finally {
    refs.close();
  }
}

function* goingOf(plan: Plan, nameOf: (id: number) => RefName | undefined): Generator<Going, void> {
  const { ids, used } = plan.times.order;
  for (const place of plan.chosen()) {
    const name = nameOf(ids[place] as number);
    const reason = plan.verdicts.of(place);
    if (name === undefined || reason === undefined) continue;
    yield { space: name.space, instance: name.instance, name: name.name, used: used[place] as number, reason };
  }
}

async function writeJson(output: Output, preview: Preview, going: Iterable<Going>): Promise<void> {
  const { refs, ...rest } = preview;
  const head = JSON.stringify({ ...rest, count: refs }, undefined, 2).replace(/\n}$/, "");
  await output.write(`${head},\n  "refs": [`);
  let following = false;
  for (const { used, reason, ...name } of going) {
    const line = JSON.stringify({ ...name, used: new Date(used).toISOString(), ...reason });
    if (!(await output.write(`${following ? "," : ""}\n    ${line}`))) return;
    following = true;
  }
  await output.write(`${following ? "\n  " : ""}]\n}\n`);
}

function summary({ refs, blobs, bytes, bytesBefore }: Preview, quota: number | undefined): string {
  const taken = `${humanSize(bytesBefore)} on the disk${quota === undefined ? "" : ` of a quota of ${humanSize(quota)}`}`;
  if (refs === 0 && blobs === 0) return `nothing would go: ${taken}`;
  return `${counted(refs, "ref")} and ${counted(blobs, "blob")} would go, ${humanSize(bytes)} of ${taken}`;
}

async function writeText(
  output: Output,
  preview: Preview,
  going: Iterable<Going>,
  quota: number | undefined,
): Promise<void> {
  const now = systemClock();
  for (const { space, instance, name, used, reason } of going) {
    const cells = output.forPeople
      ? [space, JSON.stringify(instance), humanAge(used, now), reasonText(reason), name]
      : [space, instance, new Date(used).toISOString(), `${reason.rule} ${reason.scope}`.trimEnd(), name];
    const line = cells.map(printable).join(output.forPeople ? "  " : "\t");
    if (!(await output.write(`${line}\n`))) return;
  }
  // For programs lines are refs, and only refs.
  if (output.forPeople) await output.write(`${summary(preview, quota)}\n`);
  else process.stderr.write(`stillage: ${summary(preview, quota)}\n`);
}
