import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chance } from "./chance.ts";
import type { DataChange, DiskHistory, DiskNode, Entry } from "./disk-history.ts";

/**
 * What a disk may hold after the power fails.
 *
 * Promised, and so kept in every state:
 * - fsync(2), fdatasync(2): the bytes of a file, and the size without which they could not be read, from the acknowledgement of a sync on
 *   that began after they were written; whether they were written past the page cache or not.
 * - The names in a directory: from the acknowledgement of a sync of that directory on. Not by a sync of the file: "Calling fsync() does
 *   not necessarily ensure that the entry in the directory containing the file has also reached disk" (fsync(2)). ext4, XFS and btrfs do
 *   better for new files, as the journal has the name with the inode; that is not relied on.
 * - rename(2) is one change, also between two directories: the journals of ext4, XFS and btrfs have it in one transaction. A sync of either of
 *   the two directories makes it durable.
 *
 * What is not promised may be there or not:
 * - Each 512-byte sector of a file, and its size, is that of any moment between the last sync and the cut, whatever the others are: a write
 *   is there, is not, or is torn, and a later one is there without an earlier one. What was never written reads as zeros.
 * - Of the changes of names any subset is there, in the order in which they were made, but for those that another one missing makes impossible: what
 *   is in no directory cannot be moved, and nothing can be put into a directory that is not there. Journals commit in order, and would leave the first few of them; btrfs' log of single syncs does not.
 */
export type Survival = "nothing" | "everything" | "only names" | "only bytes" | "anything";

export const sectorBytes = 512;

/** Makes at `target`, which is not there, what a disk may hold when the power fails before place `cut` of the log. */
export function writeDiskAfterCut(
  history: DiskHistory,
  cut: number,
  survival: Survival,
  chance: Chance,
  target: string,
): void {
  const names = namesAfterCut(history, cut, survival, chance);
  const written = new Map<DiskNode, string>();
  const write = (node: DiskNode, path: string): void => {
    const before = written.get(node);
    if (node.isDirectory) {
      mkdirSync(path);
      for (const [name, below] of names.get(node) ?? []) write(below, join(path, name));
    } else if (before !== undefined) linkSync(before, path);
    else writeFileSync(path, bytesAfterCut(node, cut, survival, chance));
    written.set(node, path);
  };
  write(history.root, target);
}

type Names = Map<DiskNode, Map<string, DiskNode>>;

function namesAfterCut(history: DiskHistory, cut: number, survival: Survival, chance: Chance): Names {
  const names: Names = new Map();
  for (const [directory, entries] of history.before) names.set(directory, new Map(entries));
  const within = (directory: DiskNode): Map<string, DiskNode> => {
    const found = names.get(directory) ?? new Map<string, DiskNode>();
    names.set(directory, found);
    return found;
  };
  const synced = ({ directory }: Entry, at: number): boolean => at < directory.syncedUntil(cut);
  /** Where directories were put that were made meanwhile. */
  const places = new Map<DiskNode, Entry>();
  const survives = changesSurvive(survival, cut, chance);
  const has = (entry: Entry | undefined, node: DiskNode): boolean =>
    entry === undefined || within(entry.directory).get(entry.name) === node;
  const reachable = (node: DiskNode): boolean => {
    const entry = places.get(node);
    return entry === undefined || (has(entry, node) && reachable(entry.directory));
  };
  for (const { at, node, removes, adds } of history.nameChanges) {
    if (at >= cut) break;
    if (node.isDirectory && adds !== undefined) places.set(node, adds);
    const durable = (removes && synced(removes, at)) || (adds && synced(adds, at));
    const there = has(removes, node);
    const possible = there && (adds === undefined || reachable(adds.directory));
    if (!durable && !(possible && survives(at))) continue;
    if (removes !== undefined && there) within(removes.directory).delete(removes.name);
    if (adds !== undefined) within(adds.directory).set(adds.name, node);
  }
  return names;
}

/** Which of the changes of names that nobody synced are there: a journal's first ones, or any. */
function changesSurvive(survival: Survival, cut: number, chance: Chance): (at: number) => boolean {
  if (survival !== "anything") return () => survival === "everything" || survival === "only names";
  if (chance.once(3)) {
    const committed = chance.below(cut + 1);
    return (at) => at < committed;
  }
  const [part, of] = chance.pick([
    [1, 2],
    [1, 8],
    [7, 8],
  ] as const);
  return () => chance.below(of) < part;
}

/** The bytes of a file after a power cut. */
export function bytesAfterCut(node: DiskNode, cut: number, survival: Survival, chance: Chance): Buffer {
  const synced = node.syncedUntil(cut);
  const changes = node.changes.filter(({ at }) => at < cut);
  const truth = new GrowingFile(node.before);
  let next = 0;
  for (; next < changes.length && (changes[next] as DataChange).at < synced; next++) {
    truth.apply(changes[next] as DataChange);
  }
  const open = changes.slice(next);
  if (survival === "nothing" || survival === "only names") return truth.content();
  const how = survival === "anything" ? chance.pick(["nothing", "moment", "writes", "sectors"] as const) : "everything";
  if (how === "nothing") return truth.content();
  const until = how === "moment" ? chance.below(open.length + 1) : open.length;
  const sizeUntil = how === "everything" || how === "moment" ? until : chance.below(open.length + 1);
  const disk = truth.copy();
  let size = truth.size;
  for (const [i, change] of open.slice(0, until).entries()) {
    const [from, to] = truth.apply(change);
    if (i < sizeUntil) size = truth.size;
    const fate = how === "everything" || how === "moment" ? "there" : chance.pick(["there", "not there", how] as const);
    if (fate === "not there") continue;
    for (let at = from - (from % sectorBytes); at < to; at += sectorBytes) {
      if (fate !== "sectors" || chance.once(2)) disk.takeSector(truth, at);
    }
  }
  disk.resize(size);
  return disk.content();
}

/** A file that is being changed; behind its end are zeros. */
class GrowingFile {
  size: number;
  private bytes: Buffer;

  constructor(content: Buffer) {
    this.size = content.length;
    this.bytes = Buffer.from(content);
  }

  /** Does a change and returns from where to where bytes may be others now. */
  apply(change: DataChange): [from: number, to: number] {
    const before = this.size;
    if ("size" in change) {
      this.resize(change.size);
      return [Math.min(before, change.size), Math.max(before, change.size)];
    }
    const end = change.offset + change.bytes.length;
    this.reserve(end);
    change.bytes.copy(this.bytes, change.offset);
    this.size = Math.max(before, end);
    return [Math.min(before, change.offset), end];
  }

  resize(size: number): void {
    this.reserve(size);
    this.bytes.fill(0, size);
    this.size = size;
  }

  takeSector(from: GrowingFile, at: number): void {
    this.reserve(at + sectorBytes);
    this.bytes.fill(0, at, at + sectorBytes);
    from.bytes.copy(this.bytes, at, at, Math.min(at + sectorBytes, from.bytes.length));
  }

  copy(): GrowingFile {
    return new GrowingFile(this.content());
  }

  content(): Buffer {
    return this.bytes.subarray(0, this.size);
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const grown = Buffer.alloc(Math.max(length, this.bytes.length * 2));
    this.bytes.copy(grown);
    this.bytes = grown;
  }
}
