import { createReadStream, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { StillageError } from "../base/errors.ts";
import { inParallel } from "../base/in-parallel.ts";
import { maxInstantPlain, ostreeHashOf, RunningOstreeHash, wholeHead } from "../base/ostree-hash.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import type { DirTree } from "../ostree/dirtree.ts";
import { type Checksum, objectPath } from "../ostree/object-name.ts";
import type { Findings } from "./verify-report.ts";

/** Files that are read at a time. */
const lanes = 4;

/** Directories within each other; a path on Linux has at most half as many. */
const maxDepth = 4096;

/** Reads trees and verifies every object in them, each once however many releases share it. */
export class TreeVerifier {
  /** How many objects were looked at. */
  objects = 0;
  private readonly archive: ArchiveRepository;
  private readonly signal: AbortSignal | undefined;
  /** What came of a directory with all that is in it, of its metadata, and of a file. */
  private readonly seen = new Map<string, boolean>();

  constructor(archive: ArchiveRepository, signal?: AbortSignal) {
    this.archive = archive;
    this.signal = signal;
  }

  /** Whether all of a tree is there and is what its checksums say; what is not is a finding, once. */
  async verify(tree: Checksum, meta: Checksum, findings: Findings): Promise<boolean> {
    return this.directory(tree, meta, "/", 0, findings);
  }

  private async directory(
    tree: Checksum,
    meta: Checksum,
    path: string,
    depth: number,
    found: Findings,
  ): Promise<boolean> {
    this.signal?.throwIfAborted();
    const metaFine = await this.object(meta, "dirmeta", path, found, () => this.archive.dirMeta(meta));
    const key = `dirtree ${tree}`;
    const before = this.seen.get(key);
    if (before !== undefined) return before && metaFine;
    let content: DirTree | undefined;
    let fine = await this.object(tree, "dirtree", path, found, async () => {
      content = await this.archive.dirTree(tree);
      return content;
    });
    if (depth > maxDepth) {
      found.failed(path.slice(0, 200), `directories lie more than ${maxDepth} deep in each other`);
      return false;
    }
    await inParallel(content?.files ?? [], lanes, async ({ name, checksum }) => {
      if (!(await this.file(checksum, path + name, found))) fine = false;
    });
    for (const each of content?.directories ?? []) {
      if (!(await this.directory(each.tree, each.meta, `${path}${each.name}/`, depth + 1, found))) fine = false;
    }
    this.seen.set(key, fine);
    return fine && metaFine;
  }

  private file(checksum: Checksum, path: string, found: Findings): Promise<boolean> {
    this.signal?.throwIfAborted();
    return this.object(checksum, "file", path, found, async () => {
      const stored = await storedHash(this.archive.pathOf(checksum, "file"));
      if (stored === undefined || stored === checksum) return stored;
      throw new StillageError("corrupt", "it is not what its checksum says");
    });
  }

  /** Looks at one object, unless it was looked at. */
  private async object(
    checksum: Checksum,
    type: "dirtree" | "dirmeta" | "file",
    path: string,
    found: Findings,
    look: () => Promise<unknown>,
  ): Promise<boolean> {
    const key = `${type} object ${checksum}`;
    const before = this.seen.get(key);
    if (before !== undefined) return before;
    this.objects++;
    const about = `repo/${objectPath(checksum, type)}`;
    try {
      const there = (await look()) !== undefined;
      if (!there) found.failed(about, `it is not there, and ${path} needs it`);
      this.seen.set(key, there);
      return there;
    } catch (error) {
      this.signal?.throwIfAborted();
      found.failed(about, `${path}: ${(error as Error).message}`);
      this.seen.set(key, false);
      return false;
    }
  }
}

/** The checksum of a stored file; `undefined` where it is not there. Small ones are read in one piece, which takes half of the time. Errors: `invalid`. */
async function storedHash(path: string): Promise<Checksum | undefined> {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  if (size <= maxInstantPlain) {
    const bytes = await readFile(path);
    if (wholeHead(bytes).size <= maxInstantPlain) return ostreeHashOf(bytes);
  }
  const hash = new RunningOstreeHash();
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 18 })) await hash.update(piece as Buffer);
    return await hash.digest();
  } finally {
    hash.close();
  }
}
