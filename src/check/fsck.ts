import { existsSync, readFileSync, statSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { storedFunctionOfName } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { lockDirectory, lockFile } from "../store/disk/directory-lock.ts";
import { syncDirectory } from "../store/disk/file-io.ts";
import { currentStamp, stampFile } from "../store/disk/format-stamp.ts";
import { tenantOfDirectory } from "../store/disk/tenant-name.ts";
import { checkCompleteness } from "./check-completeness.ts";
import { type CheckContext, type CheckedShelf, found } from "./check-context.ts";
import { checkFiles } from "./check-files.ts";
import { checkPacks, leftover } from "./check-packs.ts";
import { checkRefs, refsFile } from "./check-refs.ts";
import { CheckWorkers } from "./check-workers.ts";
import { Findings } from "./findings.ts";
import { bytesBelow, list } from "./list-directory.ts";
import { Quarantine, quarantineFolder } from "./quarantine.ts";

/** Says of a directory that a restore has begun in it. */
const restoringFile = "restoring";

/** What else lies in a store's directory. */
const known = new Set([
  stampFile,
  lockFile,
  "tenants",
  refsFile,
  quarantineFolder,
  "backup",
  "scrub.json",
  "lost+found",
]);
const besides = [/^refs\.sqlite-(wal|shm)$/, /^refs\.sqlite\.damaged-/, /^(pull|push|receive)\.socket$/];
/** The last one beside a stamp: a restore that was done but for that. */
const leftovers = ["format.new", "direct-io.new", "scrub.json.new", restoringFile];
const refsLeftovers = [
  ...["", "-wal", "-shm", "-journal"].map((ending) => `${refsFile}.new${ending}`),
  ...["", "-wal"].map((ending) => `${refsFile}.damaged.new${ending}`),
  `${refsFile}.salvaged`,
];

/** What a backup has in the place of a stamp. */
const backupFile = "backup.json";

export interface FsckOptions {
  readonly directory: string;
  readonly repair: boolean;
  readonly clock: Clock;
  /** Threads of somebody who checks several stores one after the other. */
  readonly workers?: CheckWorkers;
}

export interface FsckResult {
  readonly directory: string;
  readonly findings: Findings;
  readonly packs: number;
  /** Large blobs. */
  readonly files: number;
  /** Blobs that are whole. */
  readonly blobs: number;
  readonly refs: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

/** How far a check is. */
export interface FsckProgress {
  readonly doing: string;
  readonly bytes: number;
  /** To be read in all; 0 while nobody knows. */
  readonly total: number;
}

/**
 * Reads all of a store that nobody has open, and says what is wrong; with `repair`, mends what can be mended, each thing as it is found. Whole blobs and
 * readable names stay in every case; where a repair is interrupted, the next one goes on.
 * Errors: `failed-precondition` with one sentence for what is no store, or is in use, and for a repair by another user than the store's.
 */
export class Fsck {
  private readonly options: FsckOptions;
  private readonly directory: string;
  private workers: CheckWorkers | undefined;
  private doing = "looking at what is there";
  private total = 0;

  constructor(options: FsckOptions) {
    this.options = options;
    this.directory = resolve(options.directory);
  }

  get progress(): FsckProgress {
    return { doing: this.doing, bytes: this.workers?.bytes ?? 0, total: this.total };
  }

  async run(): Promise<FsckResult> {
    const { directory } = this;
    checkIsStore(directory);
    if (this.options.repair) checkOwner(directory);
    const lock = lockDirectory(directory);
    try {
      const given = this.options.workers;
      await using own = given === undefined ? new CheckWorkers() : undefined;
      this.workers = given ?? own;
      return await this.check(this.workers as CheckWorkers);
    } finally {
      lock.release();
    }
  }

  private async check(workers: CheckWorkers): Promise<FsckResult> {
    const { directory } = this;
    const { repair, clock } = this.options;
    const began = performance.now();
    const findings = new Findings();
    const tally = { packs: 0, files: 0, blobs: 0, refs: 0 };
    const quarantine = new Quarantine(directory, clock);
    const context: CheckContext = { store: directory, repair, clock, findings, quarantine, workers, tally };
    if (await this.checkStamp(context)) {
      await this.checkRoot(context);
      const shelves = this.shelves(context);
      this.total = shelves.reduce((sum, shelf) => sum + bytesIn(shelf), 0);
      this.doing = "reading blobs";
      for (const shelf of shelves) {
        await checkPacks(context, shelf);
        await checkFiles(context, shelf);
      }
      this.doing = "reading names";
      const readable = await checkRefs(context, shelves.length > 0);
      this.doing = "looking for what names need";
      // A server of names alone has no blobs to look for.
      if (readable && shelves.length > 0) await lookForBlobs(context, shelves);
    }
    return { directory, findings, ...tally, bytes: workers.bytes, milliseconds: performance.now() - began };
  }

  /** False where nothing more can be said: the directory may be of another format. */
  private async checkStamp(context: CheckContext): Promise<boolean> {
    const path = join(context.store, stampFile);
    const stamp = existsSync(path) ? readFileSync(path, "latin1").slice(0, 100) : "";
    if (stamp.trim() === currentStamp.trim()) return true;
    const format = Number(/^stillage-store (\d+)\s*$/.exec(stamp)?.[1] ?? 0);
    if (format > 0) {
      found(context, "stamp-unknown", path, `it says format ${format}`);
      return false;
    }
    const finding = found(context, "stamp-damaged", path, `it says ${JSON.stringify(stamp)}`);
    if (!context.repair) return true;
    await writeFile(`${path}.new`, currentStamp, { flush: true });
    await rename(`${path}.new`, path);
    await syncDirectory(context.store);
    context.findings.repaired([finding]);
    return true;
  }

  private async checkRoot(context: CheckContext): Promise<void> {
    for (const name of list(context, context.store) ?? []) {
      const path = join(context.store, name);
      if (leftovers.includes(name) || refsLeftovers.includes(name)) await leftover(context, path);
      else if (!known.has(name) && !besides.some((each) => each.test(name))) {
        found(context, "foreign", path, "is not the store's");
      }
    }
  }

  private shelves(context: CheckContext): CheckedShelf[] {
    const tenants = join(context.store, "tenants");
    const shelves: CheckedShelf[] = [];
    for (const folder of list(context, tenants) ?? []) {
      const instance = tenantOfDirectory(folder);
      if (instance === undefined) {
        found(context, "foreign", join(tenants, folder), "no instance name leads to it");
        continue;
      }
      for (const name of list(context, join(tenants, folder)) ?? []) {
        const directory = join(tenants, folder, name);
        const fn = storedFunctionOfName(name);
        if (fn === undefined) found(context, "foreign", directory, "no digest function has this name");
        else if (list(context, directory) !== undefined)
          shelves.push({ instance, directory, function: fn, broken: new Set() });
      }
    }
    return shelves;
  }
}

/** Where something cannot be read, what names need cannot be known either; the rest is told all the same. */
async function lookForBlobs(context: CheckContext, shelves: readonly CheckedShelf[]): Promise<void> {
  try {
    await checkCompleteness(context, shelves);
  } catch (error) {
    if (!(error instanceof StillageError) && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    found(
      context,
      "unreadable",
      join(context.store, "tenants"),
      `what names need was not looked for: ${(error as Error).message}`,
    );
  }
}

/** What there is to be read in a shelf. */
function bytesIn({ directory }: CheckedShelf): number {
  const folders = ["packs", "files", "incoming"].map((folder) => join(directory, folder));
  return folders.reduce((sum, folder) => sum + bytesBelow(folder, (name) => !name.endsWith(".idx")), 0);
}

/** Neither a backup nor what a restore has begun may become a store by a repair: the one would be lost as a backup, the other lacks what was not copied. */
function checkIsStore(directory: string): void {
  const has = (name: string): boolean => existsSync(join(directory, name));
  if (has(backupFile)) {
    throw refused(`${directory} is a backup, not a store`, "make a store of it with `stillage store restore`");
  }
  if (has(restoringFile) && !has(stampFile)) {
    throw refused(
      `${directory} is not a store yet: a restore was begun in it`,
      "run that `stillage store restore` again",
    );
  }
  if (!has(stampFile) && !has("tenants")) {
    throw refused(`${directory} is not a store`, "name the directory that the server was started with");
  }
}

/** What a repair makes belongs to who runs it: a server that runs as another user could not open it. */
function checkOwner(directory: string): void {
  // The directory itself may be another's, who has made it for the server.
  const own = [stampFile, "tenants"].map((name) => join(directory, name)).find((path) => existsSync(path));
  const { uid } = statSync(own ?? directory);
  if (process.geteuid === undefined || process.geteuid() === uid) return;
  throw refused(
    `the store in ${directory} belongs to the user with the number ${uid}, and a repair has to be run by its owner`,
    `run it with \`sudo -u '#${uid}'\` before it`,
  );
}

function refused(message: string, hint: string): StillageError {
  return new StillageError("failed-precondition", message, { hint });
}
