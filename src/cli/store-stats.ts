import { join } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import type { ExpirySettings } from "../expiry/limits.ts";
import type { Room } from "../expiry/room.ts";
import { StoppableSlices } from "../expiry/slices.ts";
import { type InstanceStats, statsOf } from "../expiry/store-stats.ts";
import { readCensus } from "../store/disk/read-only-census.ts";
import { checkReadable } from "../store/disk/read-only-store.ts";
import type { RefsSize } from "../store/ref-admin.ts";
import { openRefs } from "../store/sqlite/read-only-refs.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { addExpirySettings, loadExpirySettings } from "./expiry-settings.ts";
import { humanAge, humanSize, printable } from "./human-text.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { standardOutput } from "./output.ts";
import { textTable } from "./text-table.ts";

interface Stats {
  readonly store: string;
  /** On the disk, refs included. */
  readonly bytes: number;
  readonly dead: number;
  readonly refs: RefsSize;
  readonly room: Room | undefined;
  readonly instances: readonly InstanceStats[];
}

/** `stillage store stats`. */
export function storeStatsCommand(end: (status: number) => void): Command {
  const command = newCommand("stats", "stillage").description("Say what a store has, by instance and kind of name");
  addUse(command, {
    notes: [
      "Looks at every ref and every directory. Blobs that several kinds of names keep alive count for each of these; dead bytes are those of removed blobs in packs.",
      "All about what goes when: docs/EXPIRY.md",
    ],
    examples: [{ says: "What takes the room", run: "stillage store stats --store /srv/cache" }],
    see: "docs/EXPIRY.md",
  });
  return addExpirySettings(command, "its server may be running")
    .option("--json", "Print the result as JSON")
    .action(async () => {
      const loaded = loadExpirySettings(command);
      if (loaded === undefined) return end(exitStatus.usage);
      const { store, room, settings } = loaded;
      const work = async (signal: AbortSignal): Promise<number> => {
        const stats = await read(store, room, settings, signal);
        await print(stats, command.opts<{ json?: true }>().json === true);
        return exitStatus.done;
      };
      end(await interruptible(work, "stopped"));
    });
}

async function read(
  store: string,
  room: Room | undefined,
  settings: ExpirySettings,
  signal: AbortSignal,
): Promise<Stats> {
  const directory = checkReadable(store);
  const refs = openRefs(join(directory, "refs.sqlite"));
  try {
    const { census, use } = readCensus(directory, settings.lease);
    const order = await refs.order();
    const instances = await statsOf({ census, refs, order, slices: new StoppableSlices(signal) });
    const size = refs.size();
    return { store: directory, bytes: use.bytes + size.bytes, dead: use.dead, refs: size, room, instances };
  } finally {
    refs.close();
  }
}

async function print(stats: Stats, json: boolean): Promise<void> {
  const output = standardOutput();
  if (json) await output.write(`${JSON.stringify(jsonOf(stats), undefined, 2)}\n`);
  else await output.write(textOf(stats, output.width));
}

const timeOf = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

function jsonOf({ store, bytes, dead, refs, room, instances }: Stats): object {
  return {
    ...{
      store,
      bytes,
      dead,
      refs,
      quota: room?.quota ?? null,
      highMark: room?.high ?? null,
      lowMark: room?.low ?? null,
    },
    instances: instances.map(({ kinds, ...instance }) => ({
      ...instance,
      spaces: kinds.map(({ instance: _, oldestUse, newestUse, ...kind }) => ({
        ...kind,
        oldestUse: timeOf(oldestUse),
        newestUse: timeOf(newestUse),
      })),
    })),
  };
}

const columns = ["INSTANCE", "SPACE", "REFS", "PINNED", "OLDEST USE", "NEWEST USE", "BLOBS", "SIZE"].map((title) => ({
  title,
  flexible: title === "INSTANCE",
}));

function textOf({ store, bytes, dead, refs, room, instances }: Stats, width: number): string {
  const now = systemClock();
  const age = (time: number | undefined): string => (time === undefined ? "-" : humanAge(time, now));
  const rows = instances.flatMap(({ instance, kinds, unnamed, blobs, bytes }) => {
    const name = printable(JSON.stringify(instance));
    return [
      ...kinds.map((kind) => [
        ...[name, kind.space, String(kind.refs), String(kind.pinned), age(kind.oldestUse), age(kind.newestUse)],
        ...[String(kind.blobs), humanSize(kind.bytes)],
      ]),
      [name, "no name", "-", "-", "-", "-", String(unnamed.blobs), humanSize(unnamed.bytes)],
      [name, "all", "-", "-", "-", "-", String(blobs), humanSize(bytes)],
    ];
  });
  const of =
    room === undefined
      ? "no quota given here (--quota, --config)"
      : `${((bytes / room.quota) * 100).toFixed(1)} % of the quota, ${humanSize(room.quota)}; from ${humanSize(room.high)} on it is brought to ${humanSize(room.low)}`;
  const head = `${printable(store)}: ${humanSize(bytes)} on the disk, ${of}\n`;
  const parts = `dead in packs: ${humanSize(dead)}; refs: ${humanSize(refs.bytes)}\n`;
  return head + parts + (rows.length === 0 ? "" : textTable(columns, rows, width));
}
