import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DirectoryEntry, TreeEntry } from "../ostree/archive/tree-entry.ts";
import type { ReleaseRequest } from "./compose.ts";
import { initReleaseRepository } from "./init-repository.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import { ReleaseWriter } from "./release-writer.ts";
import { openSigning } from "./signing.ts";

/** Release repositories in a folder of a test's own. */
export interface ReleaseFolder extends AsyncDisposable {
  readonly path: string;
  /** What was warned of. */
  readonly warnings: string[];
  init(name: string, settings?: Readonly<Record<string, unknown>>): Promise<ReleaseRepository>;
  /** Works on a repository as its only writer. */
  write<T>(repository: ReleaseRepository, work: (writer: ReleaseWriter) => Promise<T>): Promise<T>;
}

export async function releaseFolder(): Promise<ReleaseFolder> {
  const path = await mkdtemp(join(tmpdir(), "stillage-releases-"));
  const warnings: string[] = [];
  return {
    path,
    warnings,
    init: async (name, settings = {}) => {
      const { repository } = await initReleaseRepository(path, name, { title: name, ...settings });
      return repository;
    },
    write: async (repository, work) => {
      const signing = await openSigning(repository);
      const warn = (sentence: string): void => void warnings.push(sentence);
      using writer = await ReleaseWriter.open(repository, { signing, versions: { stillage: "1" }, warn });
      return await work(writer);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** A directory of files by their names, which end in `.sh` where they are executable; folders are within. */
export interface FolderText {
  readonly [name: string]: string | FolderText;
}

export function treeOf(folder: FolderText, name = ""): DirectoryEntry {
  const entry = ([each, content]: [string, string | FolderText]): TreeEntry => {
    if (typeof content !== "string") return treeOf(content, each);
    const mode = each.endsWith(".sh") ? 0o755 : 0o644;
    const bytes = Buffer.from(content);
    return { kind: "file", name: each, mode, size: bytes.length, open: () => bytes };
  };
  return { kind: "directory", name, mode: 0o755, entries: () => Object.entries(folder).map(entry) };
}

export function requestFor(folder: FolderText, more: Partial<ReleaseRequest> = {}): ReleaseRequest {
  return {
    ...{ branches: ["main"], version: undefined, title: undefined, subject: undefined, body: "", timestamp: 1000 },
    ...{ metadata: {}, tree: treeOf(folder), artifact: undefined, attachments: [], force: false },
    origins: { sources: null, dependencies: null },
    ...more,
  };
}
