import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encodeCommit } from "../commit.ts";
import type { Checksum } from "../object-name.ts";
import { tinyRepository } from "../vectors.fixture.ts";
import { ArchiveRepository } from "./archive-repository.ts";
import { commitTree } from "./commit-tree.ts";
import type { RepositoryChange } from "./repository-change.ts";
import type { DirectoryEntry, TreeEntry } from "./tree-entry.ts";

/** Directories that are gone at the end of a test. */
export class Folders implements AsyncDisposable {
  private readonly made: string[] = [];

  async fresh(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "stillage-archive-"));
    this.made.push(path);
    return path;
  }

  async repository(): Promise<ArchiveRepository> {
    return ArchiveRepository.init(await this.fresh());
  }

  /** The repository that the real program has made: see the vectors. */
  async tiny(): Promise<ArchiveRepository> {
    const path = await this.fresh();
    for (const [file, bytes] of tinyRepository()) {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), bytes);
    }
    return ArchiveRepository.open(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.made) await rm(path, { recursive: true, force: true });
  }
}

/** A tree: files by name, with text or bytes for a file and another such thing for a directory. */
export interface Files {
  readonly [name: string]: string | Uint8Array | Files;
}

export function treeOf(files: Files): DirectoryEntry {
  return directoryOf("", files);
}

function directoryOf(name: string, files: Files): DirectoryEntry {
  const entries = (): TreeEntry[] => Object.entries(files).map(([each, content]) => entryOf(each, content));
  return { kind: "directory", name, mode: 0o755, entries };
}

function entryOf(name: string, content: Files[string]): TreeEntry {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (!(bytes instanceof Uint8Array)) return directoryOf(name, bytes);
  return { kind: "file", name, mode: 0o644, size: bytes.length, open: () => bytes };
}

/** Puts a commit of a tree into a change. */
export async function putCommit(change: RepositoryChange, files: Files, parent?: Checksum): Promise<Checksum> {
  const { tree, treeMeta } = await commitTree(change, treeOf(files), { canonical: true });
  const about = { metadata: [], parent, subject: "", body: "", timestamp: parent === undefined ? 1000 : 2000 };
  return change.putMetadata("commit", encodeCommit({ ...about, tree, treeMeta }));
}

/** Commits a tree, and moves a ref there. */
export async function commitFiles(repository: ArchiveRepository, ref: string, files: Files): Promise<Checksum> {
  await using change = await repository.begin();
  const commit = await putCommit(change, files, await repository.ref(ref));
  change.setRef(ref, commit);
  await change.publish();
  return commit;
}
