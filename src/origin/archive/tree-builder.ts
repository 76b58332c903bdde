import type { Digest } from "../../base/digest.ts";
import { badArchive } from "../../base/tar/archive-error.ts";
import { maxDirectoryBytes } from "../../cache/directory-walk.ts";
import type { BlobSink } from "./blob-sink.ts";
import { DirectoryEncoder, type DirectoryEntry, type FileNode, type LinkNode } from "./directory-encoder.ts";

/** Files, links and directories of one archive, at some 500 bytes of memory each beside their names. Linux has 90,000. */
export const maxEntries = 300_000;

/** Bytes of the names and of what links point to: they are in memory until the end. Linux has 2 MB. */
export const maxTextBytes = 64 << 20;

/** What the digest of a file or a directory takes in a message at least: the shortest hash and the lengths around it. */
const digestBytes = 48;

interface Folder {
  readonly kind: "directory";
  readonly entries: Map<string, Node>;
  /** What its message has at least. */
  bytes: number;
}

type Node = FileNode | LinkNode | Folder;

const newFolder = (): Folder => ({ kind: "directory", entries: new Map(), bytes: 0 });
const show = (path: readonly string[]): string => JSON.stringify(path.join("/").slice(0, 200));

/** A tree of directories as it comes out of an archive, to be stored as Directory messages. */
export class TreeBuilder {
  private root = newFolder();
  private count = 0;
  private textBytes = 0;

  /** Makes a directory, and those above it. Errors: `failed-precondition` where one of them is something else. */
  makeDirectory(path: readonly string[]): void {
    this.folderAt(path);
  }

  /** Enters a file or link; true where it takes the place of another. Errors: `failed-precondition` where a directory has the place. */
  set(path: readonly string[], node: FileNode | LinkNode): boolean {
    const name = path.at(-1);
    if (name === undefined) throw badArchive("it is itself a file or a link");
    const folder = this.folderAt(path.slice(0, -1));
    const before = folder.entries.get(name);
    if (before?.kind === "directory") throw badArchive(`${show(path)} is a directory, and something else`);
    if (node.kind === "symlink") this.countText(node.target.length);
    if (before === undefined) this.grow(folder, name, node);
    else folder.entries.set(name, node);
    return before !== undefined;
  }

  /** A file or link that was entered; `undefined` where there is none. No link is followed. */
  get(path: readonly string[]): FileNode | LinkNode | undefined {
    const node = this.find(path);
    return node?.kind === "directory" ? undefined : node;
  }

  /** Leaves only what is in a directory. False where there is no such directory. */
  enter(path: readonly string[]): boolean {
    const node = this.find(path);
    if (node?.kind !== "directory") return false;
    this.root = node;
    return true;
  }

  /** Puts all directories into `sink`, children before parents, and returns the root's digest. Errors: `failed-precondition`; the signal's reason. */
  store(sink: BlobSink, signal: AbortSignal): Promise<Digest> {
    return storeFolder(this.root, sink, new DirectoryEncoder(), signal);
  }

  private find(path: readonly string[]): Node | undefined {
    let at: Node | undefined = this.root;
    for (const name of path) at = at?.kind === "directory" ? at.entries.get(name) : undefined;
    return at;
  }

  private folderAt(path: readonly string[]): Folder {
    let at = this.root;
    for (const [i, name] of path.entries()) {
      let next = at.entries.get(name);
      if (next === undefined) {
        next = newFolder();
        this.grow(at, name, next);
      } else if (next.kind !== "directory") {
        throw badArchive(`${show(path.slice(0, i + 1))} is a ${next.kind}, and has something below it`);
      }
      at = next;
    }
    return at;
  }

  private grow(folder: Folder, name: string, node: Node): void {
    if (++this.count > maxEntries) throw badArchive(`it has more than ${maxEntries} entries`);
    const bytes = Buffer.from(name);
    this.countText(bytes.length);
    folder.bytes += bytes.length + (node.kind === "symlink" ? node.target.length : digestBytes);
    if (folder.bytes > maxDirectoryBytes) throw badArchive("a directory has too many entries");
    folder.entries.set(bytes.toString(), node); // the string at hand may be a part of a long path, and keep all of it
  }

  private countText(bytes: number): void {
    this.textBytes += bytes;
    if (this.textBytes > maxTextBytes) throw badArchive(`its names and links have more than ${maxTextBytes} bytes`);
  }
}

async function storeFolder(
  { entries }: Folder,
  sink: BlobSink,
  encoder: DirectoryEncoder,
  signal: AbortSignal,
): Promise<Digest> {
  const stored = new Map<string, DirectoryEntry>();
  for (const [name, node] of entries) {
    if (node.kind !== "directory") stored.set(name, node);
    else stored.set(name, { kind: "directory", digest: await storeFolder(node, sink, encoder, signal) });
  }
  signal.throwIfAborted();
  return sink.add(await encoder.encode(stored));
}
