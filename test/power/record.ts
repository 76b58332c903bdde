import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Snapshot, snapshot } from "./disk-history.ts";
import { type LogRecord, readPowerLog } from "./power-log.ts";

/** Brought by scripts/test-setup.sh. */
const recorder = join(import.meta.dirname, "../../.cache/recorder.so");

/** What processes did to a disk, and what the disk was before. */
export interface Recording {
  /** Holds all of it, so that it can be read again: `disk` stands for the disk, and `store` in that is the store's. */
  readonly folder: string;
  readonly start: Snapshot;
  /** What other processes had said before. */
  readonly saidBefore: readonly string[];
  readonly log: readonly LogRecord[];
}

/** A process. */
export interface Run {
  /** A program in `workloads`. */
  readonly workload: string;
  /** What it is given besides the store's directory. */
  readonly args: readonly string[];
  /** It is killed after this many records of the log; else it runs to its end. */
  readonly killAfter?: number;
}

export function newFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "stillage-power-")));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true });
}

/** Runs processes, one after the other, on the disk of a folder, which may have been left by others that said `saidBefore`. */
export async function record(
  folder: string,
  runs: readonly Run[],
  saidBefore: readonly string[] = [],
): Promise<Recording> {
  const disk = join(folder, "disk");
  mkdirSync(disk, { recursive: true });
  writeFileSync(join(folder, "start.json"), JSON.stringify({ saidBefore, start: toPlain(snapshot(disk)) }));
  for (const { workload, args, killAfter = 0 } of runs) {
    const program = join(import.meta.dirname, "workloads", workload);
    const child = spawn(process.execPath, [program, join(disk, "store"), ...args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        LD_PRELOAD: recorder,
        POWER_ROOT: disk,
        POWER_LOG: join(folder, "log"),
        POWER_SAY: join(folder, "said"),
        POWER_KILL: String(killAfter),
      },
    });
    const end = await new Promise((resolve) => child.once("exit", (status, signal) => resolve(signal ?? status)));
    if (end !== 0 && !(end === "SIGKILL" && killAfter > 0)) throw new Error(`${workload} ended with ${end}`);
  }
  return readRecording(folder);
}

/** What was recorded in a folder. */
export function readRecording(folder: string): Recording {
  const { saidBefore, start } = JSON.parse(readFileSync(join(folder, "start.json"), "utf8"));
  return { folder, start: fromPlain(start), saidBefore, log: readPowerLog(join(folder, "log")) };
}

/** A snapshot as JSON has it: the bytes of a file in base64. */
interface PlainSnapshot {
  readonly inode: number;
  readonly content: string | readonly (readonly [name: string, PlainSnapshot])[];
}

function toPlain({ inode, content }: Snapshot): PlainSnapshot {
  if (Buffer.isBuffer(content)) return { inode, content: content.toString("base64") };
  return { inode, content: [...content].map(([name, below]) => [name, toPlain(below)] as const) };
}

function fromPlain({ inode, content }: PlainSnapshot): Snapshot {
  if (typeof content === "string") return { inode, content: Buffer.from(content, "base64") };
  return { inode, content: new Map(content.map(([name, below]) => [name, fromPlain(below)])) };
}
