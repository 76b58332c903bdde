import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogRecord } from "./power-log.ts";

/** A change to the bytes or the size of a file, at a place in the log. */
export type DataChange =
  | { readonly at: number; readonly offset: number; readonly bytes: Buffer }
  | { readonly at: number; readonly size: number };

/** A name in a directory. */
export interface Entry {
  readonly directory: DiskNode;
  readonly name: string;
}

/** A change to names: what it takes away and what it adds, both for the same node, at once. */
export interface NameChange {
  readonly at: number;
  readonly node: DiskNode;
  readonly removes: Entry | undefined;
  readonly adds: Entry | undefined;
}

/** A sync that has been acknowledged: what was done before `from` was on the disk from `until` on. */
interface Sync {
  readonly from: number;
  readonly until: number;
}

/** A file or a directory, whatever its names. */
export class DiskNode {
  readonly isDirectory: boolean;
  /** What a file had before the log begins; it is on the disk. */
  readonly before: Buffer;
  readonly changes: DataChange[] = [];
  readonly syncs: Sync[] = [];
  /** The names in a directory as the process sees them in the end. */
  readonly names = new Map<string, DiskNode>();

  constructor(isDirectory: boolean, before: Buffer = Buffer.alloc(0)) {
    this.isDirectory = isDirectory;
    this.before = before;
  }

  /** At a power cut before place `cut` of the log, what was done before this place is on the disk. */
  syncedUntil(cut: number): number {
    let place = 0;
    for (const { from, until } of this.syncs) if (until < cut) place = Math.max(place, from);
    return place;
  }
}

/** Whether a sync counts, by the path of what is synced. Where it does not, it is one that lied. */
export type SyncFilter = (path: string, dataOnly: boolean) => boolean;

/** What happened to the files below a directory: for each file and each name what was changed, when, and when it was synced. */
export class DiskHistory {
  readonly root: DiskNode;
  /** The names that were there before the log begins: on the disk. */
  readonly before = new Map<DiskNode, ReadonlyMap<string, DiskNode>>();
  readonly nameChanges: NameChange[] = [];
  /** What the process said, and where. */
  readonly said: { readonly at: number; readonly text: string }[] = [];
  /** Places in the log at which a sync begins or ends, names change, or something is said. */
  readonly marks: number[] = [];
  readonly length: number;
  private readonly byInode = new Map<number, DiskNode>();

  /** `directory` is as it was when the log began, so call `snapshot` before. */
  constructor(start: Snapshot, log: readonly LogRecord[], counts: SyncFilter = () => true) {
    this.root = this.takeOver(start);
    this.length = log.length;
    const began = new Map<bigint, { from: number; nodes: Iterable<DiskNode> }>();
    for (const [at, record] of log.entries()) {
      if (record.kind === "sync began") {
        this.marks.push(at);
        const nodes = record.inode === 0 ? [...this.byInode.values()] : [this.node(record.inode)];
        const counted = nodes.filter((node) => counts(this.pathOf(node), record.dataOnly));
        began.set(record.number, { from: at, nodes: counted });
      } else if (record.kind === "sync ended") {
        this.marks.push(at);
        const { from, nodes } = began.get(record.number) ?? { from: 0, nodes: [] };
        for (const node of nodes) node.syncs.push({ from, until: at });
      } else if (record.kind === "said") {
        this.marks.push(at);
        this.said.push({ at, text: record.text });
      } else this.change(at, record);
    }
  }

  private takeOver({ inode, content }: Snapshot): DiskNode {
    const known = this.byInode.get(inode);
    if (known !== undefined) return known;
    const node = new DiskNode(!Buffer.isBuffer(content), Buffer.isBuffer(content) ? content : undefined);
    this.byInode.set(inode, node);
    if (!Buffer.isBuffer(content)) {
      for (const [name, below] of content) node.names.set(name, this.takeOver(below));
      this.before.set(node, new Map(node.names));
    }
    return node;
  }

  private change(at: number, record: LogRecord): void {
    switch (record.kind) {
      case "created":
      case "made": {
        const node = new DiskNode(record.kind === "made");
        this.byInode.set(record.inode, node);
        this.rename(at, node, undefined, this.entry(record.path));
        return;
      }
      case "linked":
        this.rename(at, this.node(record.inode), undefined, this.entry(record.path));
        return;
      case "renamed":
        this.rename(at, this.find(record.from), this.entry(record.from), this.entry(record.to));
        return;
      case "unlinked":
        this.rename(at, this.find(record.path), this.entry(record.path), undefined);
        return;
      case "written":
        this.node(record.inode).changes.push({ at, offset: record.offset, bytes: record.bytes });
        return;
      case "truncated":
        this.node(record.inode).changes.push({ at, size: record.size });
    }
  }

  private rename(at: number, node: DiskNode, removes: Entry | undefined, adds: Entry | undefined): void {
    removes?.directory.names.delete(removes.name);
    adds?.directory.names.set(adds.name, node);
    this.nameChanges.push({ at, node, removes, adds });
    this.marks.push(at);
  }

  private node(inode: number): DiskNode {
    const node = this.byInode.get(inode);
    if (node === undefined) throw new Error(`inode ${inode} was never seen to be made`);
    return node;
  }

  private find(path: string): DiskNode {
    let node: DiskNode | undefined = this.root;
    for (const name of path === "" ? [] : path.split("/")) node = node?.names.get(name);
    if (node === undefined) throw new Error(`${path} was never seen to be made`);
    return node;
  }

  private entry(path: string): Entry {
    const end = path.lastIndexOf("/");
    return { directory: this.find(path.slice(0, Math.max(end, 0))), name: path.slice(end + 1) };
  }

  /** Where a node is at this point of the log; "" for the root and for what has no name any more. */
  private pathOf(wanted: DiskNode): string {
    const search = (node: DiskNode, path: string): string | undefined => {
      if (node === wanted) return path;
      for (const [name, below] of node.names) {
        const found = search(below, path === "" ? name : `${path}/${name}`);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return search(this.root, "") ?? "";
  }
}

/** A file with its bytes, or a directory with what is in it. */
export interface Snapshot {
  readonly inode: number;
  readonly content: Buffer | ReadonlyMap<string, Snapshot>;
}

/** What lies at a path, before a log begins. */
export function snapshot(path: string): Snapshot {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return { inode: stats.ino, content: readFileSync(path) };
  return { inode: stats.ino, content: new Map(readdirSync(path).map((name) => [name, snapshot(join(path, name))])) };
}
