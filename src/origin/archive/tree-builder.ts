import { create, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../../base/digest.ts";
import { maxDirectoryBytes } from "../../cache/directory-walk.ts";
import { DigestSchema, DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { badArchive } from "./archive-error.ts";
import type { BlobSink } from "./blob-sink.ts";

/** Files, links and directories of one archive, at some 500 bytes of memory each. Linux has 90,000. */
export const maxEntries = 300_000;

export interface FileNode {
  readonly kind: "file";
  readonly digest: Digest;
  readonly executable: boolean;
}

export interface LinkNode {
  readonly kind: "symlink";
  readonly target: string;
}

interface Folder {
  readonly kind: "directory";
  readonly entries: Map<string, Node>;
}

type Node = FileNode | LinkNode | Folder;

const newFolder = (): Folder => ({ kind: "directory", entries: new Map() });
const show = (path: readonly string[]): string => JSON.stringify(path.join("/").slice(0, 200));

/** A tree of directories as it comes out of an archive, to be stored as Directory messages. */
export class TreeBuilder {
  private root = newFolder();
  private count = 0;

  /** Makes a directory, and those above it. Errors: `failed-precondition` where one of them is something else. */
  makeDirectory(path: readonly string[]): void {
    this.folderAt(path);
  }

  /** Enters a file or link; true where it takes the place of another. Errors: `failed-precondition` where a directory has the place. */
  set(path: readonly string[], node: FileNode | LinkNode): boolean {
    const name = path.at(-1);
    if (name === undefined) throw badArchive("it is itself a file or a link");
    const { entries } = this.folderAt(path.slice(0, -1));
    const before = entries.get(name);
    if (before?.kind === "directory") throw badArchive(`${show(path)} is a directory, and something else`);
    if (before === undefined) this.grow();
    entries.set(name, node);
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

  /** Puts all directories into `sink`, children before parents, and returns the root's digest. */
  store(sink: BlobSink): Promise<Digest> {
    return storeFolder(this.root, sink);
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
        this.grow();
        next = newFolder();
        at.entries.set(name, next);
      } else if (next.kind !== "directory") {
        throw badArchive(`${show(path.slice(0, i + 1))} is a ${next.kind}, and has something below it`);
      }
      at = next;
    }
    return at;
  }

  private grow(): void {
    if (++this.count > maxEntries) throw badArchive(`it has more than ${maxEntries} entries`);
  }
}

/**
 * Stores a Directory in the canonical form (remote_execution.proto, "Directory"): entries by kind and sorted by name, fields in the order of
 * their numbers, nothing that is not about content. So equal trees have equal digests, wherever they came from.
 */
async function storeFolder({ entries }: Folder, sink: BlobSink): Promise<Digest> {
  const message = create(DirectorySchema);
  for (const name of [...entries.keys()].sort(byCodePoints)) {
    const node = entries.get(name) as Node;
    if (node.kind === "file") {
      message.files.push({
        $typeName: "build.bazel.remote.execution.v2.FileNode",
        name,
        digest: messageOf(node.digest),
        isExecutable: node.executable,
      });
    } else if (node.kind === "symlink") {
      message.symlinks.push({ $typeName: "build.bazel.remote.execution.v2.SymlinkNode", name, target: node.target });
    } else {
      const digest = messageOf(await storeFolder(node, sink));
      message.directories.push({ $typeName: "build.bazel.remote.execution.v2.DirectoryNode", name, digest });
    }
  }
  const bytes = toBinary(DirectorySchema, message);
  if (bytes.length > maxDirectoryBytes) throw badArchive(`a directory has too many entries, ${entries.size}`);
  return sink.add(bytes);
}

function messageOf({ hash, size }: Digest) {
  return create(DigestSchema, { hash, sizeBytes: BigInt(size) });
}

const surrogate = /[\ud800-\udfff]/;

/** In the order of their UTF-8, which differs from that of JavaScript's strings beyond U+FFFF alone. */
export function byCodePoints(a: string, b: string): number {
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
