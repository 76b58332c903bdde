import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { openLog } from "../base/log-pino.ts";
import { type OpenCache, openCache } from "../cache/open-cache.ts";
import type { SweepReport } from "../expiry/report.ts";
import { StoppableSlices } from "../expiry/slices.ts";
import { sweep } from "../expiry/sweep.ts";
import { SweepClock } from "../expiry/sweep-clock.ts";
import { shownUnread } from "../expiry/unread.ts";
import { isInUse } from "../store/disk/directory-lock.ts";
import { checkReadable } from "../store/disk/read-only-store.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { addExpirySettings, type ExpiryConfig, loadExpirySettings } from "./expiry-settings.ts";
import { counted, humanSize, printable } from "./human-text.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { previewSweep, reasonText } from "./sweep-preview.ts";

interface Flags {
  readonly dryRun?: true;
  readonly json?: true;
}

/** `stillage store sweep`. */
export function storeSweepCommand(end: (status: number) => void): Command {
  const command = newCommand("sweep", "stillage").description(
    "Remove what has expired from a store, or say what that is",
  );
  addUse(command, {
    notes: [
      "A server sweeps by itself. --dry-run takes the times of last uses that are written down, those of blobs up to ten minutes late.",
    ],
    examples: [{ says: "What would go", run: "stillage store sweep --store /srv/cache --quota 100G --dry-run" }],
    see: "docs/EXPIRY.md",
  });
  return addExpirySettings(command, "no server has it open; with --dry-run, one may")
    .option("--dry-run", "Say what would go, and why, and change nothing")
    .option("--json", "Print the result as JSON")
    .action(async () => {
      const loaded = loadExpirySettings(command);
      if (loaded === undefined) return end(exitStatus.usage);
      const { dryRun = false, json = false } = command.opts<Flags>();
      const work = async (signal: AbortSignal): Promise<number> => {
        if (dryRun) await previewSweep(loaded, json, signal);
        else print(await sweepStore(loaded, signal), json);
        return exitStatus.done;
      };
      end(await interruptible(work, "stopped; what was removed by then is gone, and the next sweep goes on"));
    });
}

async function sweepStore(config: ExpiryConfig, signal: AbortSignal): Promise<SweepReport> {
  const { settings, room } = config;
  await using cache = await open(config);
  const clock = new SweepClock({ wall: systemClock, monotonic: () => performance.now(), leaseMs: settings.lease });
  const { store: blobs, refAdmin: refs } = cache;
  const { bytes, free } = refs.size();
  blobs.setOtherBytes(bytes - free);
  const leave = room !== undefined && blobs.usage().bytes >= room.high ? room.low : undefined;
  const slices = new StoppableSlices(signal);
  return await sweep({ blobs, refs, settings, leave, clock, slices, signal, reach: () => {} });
}

async function open({ store, config, settings }: ExpiryConfig): Promise<OpenCache & AsyncDisposable> {
  const directory = checkReadable(store);
  const log = openLog({ level: "error", format: "text", fd: 2 });
  const { quota, durability } = config;
  try {
    const cache = await openCache(directory, { durability, quota, leaseMs: settings.lease, clock: systemClock, log });
    return { ...cache, [Symbol.asyncDispose]: () => cache.close() };
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new StillageError("failed-precondition", (error as Error).message, {
      cause: error,
      hint: "the server sweeps by itself, every hour and when there is little room; --dry-run says what would go",
    });
  }
}

function print(report: SweepReport, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...report, unread: report.unread.map(shownUnread) }, undefined, 2)}\n`);
    return;
  }
  const { evicted, removed, unread, bytesBefore, bytesAfter } = report;
  const lines = evicted.map(
    ({ refs, space, instance, ...reason }) =>
      `${counted(refs, `${space} ref`)} of instance ${JSON.stringify(instance)}: ${reasonText(reason)}`,
  );
  lines.push(`${counted(removed.blobs, "blob")} removed, ${humanSize(removed.bytes)}`);
  lines.push(`${humanSize(bytesBefore)} on the disk before, ${humanSize(bytesAfter)} after`);
  for (const { digest, error } of unread) {
    lines.push(`${showDigest(digest)} cannot be read, and what may lie below it stays: ${error.message}`);
  }
  process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(""));
}
