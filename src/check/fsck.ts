import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { functionOfName } from "../base/digest-function.ts";
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
import { Quarantine, quarantineFolder } from "./quarantine.ts";

/** What else lies in a store's directory. */
const known = new Set([stampFile, lockFile, "tenants", refsFile, quarantineFolder, "scrub.json", "lost+found"]);
const besides = [/^refs\.sqlite-(wal|shm)$/, /^refs\.sqlite\.damaged-/, /^(pull|push)\.socket$/];
const leftovers = ["format.new", "direct-io.new", "scrub.json.new"];
const refsLeftovers = [`${refsFile}.new`, `${refsFile}.new-wal`, `${refsFile}.new-shm`, `${refsFile}.new-journal`];

export interface FsckOptions {
  readonly directory: string;
  readonly repair: boolean;
  readonly clock: Clock;
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
 * Errors: `failed-precondition` with one sentence for what is no store, or is in use.
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
    if (!existsSync(join(directory, stampFile)) && !existsSync(join(directory, "tenants"))) {
      throw new StillageError("failed-precondition", `${directory} is not a store`, {
        hint: "name the directory that the server was started with",
      });
    }
    const lock = lockDirectory(directory);
    try {
      await using workers = new CheckWorkers();
      this.workers = workers;
      return await this.check(workers);
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
      this.total = shelves.reduce((sum, shelf) => sum + bytesIn(shelf.directory), 0);
      this.doing = "reading blobs";
      for (const shelf of shelves) {
        await checkPacks(context, shelf);
        await checkFiles(context, shelf);
      }
      this.doing = "reading names";
      const readable = await checkRefs(context, shelves.length > 0);
      this.doing = "looking for what names need";
      // A server of names alone has no blobs to look for.
      if (readable && shelves.length > 0) await checkCompleteness(context, shelves);
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
    for (const name of readdirSync(context.store)) {
      const path = join(context.store, name);
      if (leftovers.includes(name) || refsLeftovers.includes(name)) await leftover(context, path);
      else if (!known.has(name) && !besides.some((each) => each.test(name)) && name !== `${refsFile}.salvaged`) {
        found(context, "foreign", path, "is not the store's");
      }
    }
  }

  private shelves(context: CheckContext): CheckedShelf[] {
    const tenants = join(context.store, "tenants");
    const shelves: CheckedShelf[] = [];
    for (const folder of existsSync(tenants) ? readdirSync(tenants).sort() : []) {
      const instance = tenantOfDirectory(folder);
      if (instance === undefined) {
        found(context, "foreign", join(tenants, folder), "no instance name leads to it");
        continue;
      }
      for (const name of readdirSync(join(tenants, folder)).sort()) {
        const directory = join(tenants, folder, name);
        const fn = functionOfName(name);
        if (fn === undefined) found(context, "foreign", directory, "no digest function has this name");
        else shelves.push({ instance, directory, function: fn, broken: new Set() });
      }
    }
    return shelves;
  }
}

/** What there is to be read in a shelf. */
function bytesIn(shelf: string): number {
  let sum = 0;
  for (const folder of ["packs", "files", "incoming"]) {
    const path = join(shelf, folder);
    if (!existsSync(path)) continue;
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith(".idx")) continue;
      sum += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return sum;
}
