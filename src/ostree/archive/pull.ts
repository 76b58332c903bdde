import { setTimeout } from "node:timers/promises";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { type Commit, decodeCommit } from "../commit.ts";
import { decodeDetached } from "../detached.ts";
import { decodeDirTree } from "../dirtree.ts";
import { maxMetadataBytes } from "../metadata-limit.ts";
import { type Checksum, type ObjectName, objectFileName, objectPath, parseChecksum } from "../object-name.ts";
import { inFlight } from "./http-source.ts";
import { Lanes } from "./lanes.ts";
import type { ObjectSource } from "./object-source.ts";
import { ofObject } from "./object-staging.ts";
import { gather } from "./put-foreign.ts";
import type { RepositoryChange } from "./repository-change.ts";
import { detachedPath } from "./repository-layout.ts";

/** How often something is asked for that might come another time, as OSTree's clients do it. */
const attempts = 5;

/** Milliseconds before the first further attempt; each next one waits twice as long. */
const firstPauseMs = 250;

export interface PullProgress {
  /** Commits that are here with all that they need. */
  readonly commits: number;
  /** Objects that came. */
  readonly objects: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Objects that are known to be missing. */
  readonly pending: number;
}

/** A commit of the source, and whose it is said to be. */
export interface OfferedCommit {
  readonly checksum: Checksum;
  readonly bytes: Uint8Array;
  /** What the source has as its detached metadata. */
  readonly detached: Uint8Array | undefined;
  /** Whether no ref leads to it, but only a later commit. */
  readonly isAncestor: boolean;
}

export interface PullOptions {
  /** Says whether detached metadata may take the place of what is here, or refuses a commit, to which a ref leads, by an error. Without it all is taken. */
  readonly judge?: (offered: OfferedCommit) => Promise<boolean>;
  /** How many ancestors of each commit come along, as far as the source has them: none unless it is said. */
  readonly depth?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly pauseMs?: number;
}

/**
 * Brings commits, with all that they need and their detached metadata, from a source into a change. What is here is not asked for. Every object is verified
 * before it counts, and a commit counts when all that it needs is there: a pull that fails leaves nothing, once the change is aborted.
 * Errors: `not-found` and `invalid` name the object; those of the source, after some attempts where they may pass.
 */
export async function pullCommits(
  change: RepositoryChange,
  source: ObjectSource,
  commits: Iterable<Checksum>,
  options: PullOptions = {},
): Promise<PullProgress> {
  const heads = new Set([...commits].map(parseChecksum));
  const pull = new Pull(change, source, heads, options);
  try {
    for (const commit of heads) await pull.withAncestors(commit, options.depth ?? 0);
  } finally {
    await pull.settle();
  }
  return pull.progress;
}

class Pull {
  private readonly change: RepositoryChange;
  private readonly source: ObjectSource;
  private readonly heads: ReadonlySet<Checksum>;
  private readonly options: PullOptions;
  private readonly counts = { commits: 0, objects: 0, bytes: 0 };
  /** What is to be looked at: dirtrees, and other objects that are not here. */
  private readonly pending: ObjectName[] = [];
  private readonly seen = new Set<string>();
  /** Commits from which so many ancestors have been looked at: lines of history may meet. */
  private readonly walked = new Map<Checksum, number>();
  /** Detached metadata that is asked for, of commits that are here: a mirror asks for that of all of its history. */
  private readonly asking = new Lanes(inFlight);

  constructor(change: RepositoryChange, source: ObjectSource, heads: ReadonlySet<Checksum>, options: PullOptions) {
    this.change = change;
    this.source = source;
    this.heads = heads;
    this.options = options;
  }

  get progress(): PullProgress {
    return { ...this.counts, pending: this.pending.length };
  }

  async withAncestors(first: Checksum, depth: number): Promise<void> {
    let next: Checksum | undefined = first;
    for (let generation = 0; next !== undefined && generation <= depth; generation++) {
      const ahead = depth - generation;
      if ((this.walked.get(next) ?? -1) >= ahead) return;
      this.walked.set(next, ahead);
      if (this.isNew({ checksum: next, type: "commit" })) await this.commit(next, generation > 0);
      next = (await this.bytesOf(next, "commit").then((bytes) => bytes && decodeCommit(bytes)))?.parent;
    }
  }

  /** Waits for what is asked for. Errors: that of the first that failed. */
  settle(): Promise<void> {
    return this.asking.drain();
  }

  /** An ancestor that the source has not got is where its history ends. */
  private async commit(checksum: Checksum, isAncestor: boolean): Promise<void> {
    const name = { checksum, type: "commit" } as const;
    const { repository } = this.change;
    const here = this.change.has(checksum, "commit");
    const bytes = here ? await this.bytesOf(checksum, "commit") : await this.fetchCommit(name);
    if (bytes === undefined && isAncestor) return;
    if (bytes === undefined) throw missing(name);
    if (here && !repository.isPartial(checksum)) {
      await this.asking.take();
      void this.asking.run(() => this.detached(checksum, bytes));
      return this.report(1);
    }
    await this.detached(checksum, bytes);
    await this.tree(inside(name, () => decodeCommit(bytes)));
    await this.change.putMetadata("commit", bytes);
    this.change.setWhole(checksum);
    this.report(1);
  }

  /** Signatures: they may be new for a commit that has been here for long. */
  private async detached(commit: Checksum, commitBytes: Uint8Array): Promise<void> {
    const bytes = await this.retrying(async () => {
      const content = await this.source.get(detachedPath(commit), maxMetadataBytes);
      return content && (await gather(content, maxMetadataBytes));
    });
    if (bytes !== undefined) inside({ checksum: commit, type: "commit" }, () => decodeDetached(bytes));
    const before = await this.change.repository.readDetached(commit);
    const isAncestor = !this.heads.has(commit);
    const isOther = bytes !== undefined && (before === undefined || Buffer.compare(before, bytes) !== 0);
    // Of ancestors there may be thousands: those that nothing is lost of are not looked at.
    const isAsked = !isAncestor || (isOther && before !== undefined);
    const offered = { checksum: commit, bytes: commitBytes, detached: bytes, isAncestor };
    const isBetter = !isAsked || ((await this.options.judge?.(offered)) ?? true);
    if (isOther && (isBetter || before === undefined)) this.change.setDetached(commit, bytes);
  }

  private fetchCommit(name: ObjectName): Promise<Uint8Array | undefined> {
    return this.retrying(async () => {
      const content = await this.source.get(objectPath(name.checksum, name.type), maxMetadataBytes);
      const bytes = content && (await gather(content, maxMetadataBytes));
      if (bytes === undefined) return undefined;
      if (hashOf(sha256, bytes) !== name.checksum)
        throw new StillageError("invalid", "its bytes have another checksum");
      this.count(bytes.length);
      return bytes;
    }).catch((error: unknown) => {
      throw ofObject(error, name);
    });
  }

  private async tree({ tree, treeMeta }: Commit): Promise<void> {
    this.want({ checksum: treeMeta, type: "dirmeta" });
    this.want({ checksum: tree, type: "dirtree" });
    let stopped = false;
    let active = 0;
    await new Promise<void>((resolve, reject) => {
      const step = (): void => {
        while (!stopped && active < inFlight) {
          const name = this.pending.pop();
          if (name === undefined) break;
          active++;
          this.visit(name).then(after, fail);
        }
        if (active === 0) resolve();
      };
      const after = (): void => {
        active--;
        step();
      };
      const fail = (error: unknown): void => {
        stopped = true;
        this.pending.length = 0;
        reject(error);
      };
      step();
    });
  }

  private async visit(name: ObjectName): Promise<void> {
    this.options.signal?.throwIfAborted();
    if (!this.change.has(name.checksum, name.type)) await this.fetch(name);
    if (name.type !== "dirtree") return;
    const bytes = await this.bytesOf(name.checksum, "dirtree");
    if (bytes === undefined) throw missing(name);
    const { files, directories } = inside(name, () => decodeDirTree(bytes));
    for (const { checksum } of files) this.want({ checksum, type: "file" });
    for (const { tree, meta } of directories) {
      this.want({ checksum: meta, type: "dirmeta" });
      this.want({ checksum: tree, type: "dirtree" });
    }
  }

  /** A dirtree that is here may have come without what it leads to. */
  private want(name: ObjectName): void {
    if (name.type !== "dirtree" && this.change.has(name.checksum, name.type)) return;
    if (this.isNew(name)) this.pending.push(name);
  }

  private isNew(name: ObjectName): boolean {
    const file = objectFileName(name);
    if (this.seen.has(file)) return false;
    this.seen.add(file);
    return true;
  }

  private fetch(name: ObjectName): Promise<void> {
    const limit = name.type === "file" ? Number.MAX_SAFE_INTEGER : maxMetadataBytes;
    return this.retrying(() =>
      this.change.putForeign(name.checksum, name.type, async () => {
        const content = await this.source.get(objectPath(name.checksum, name.type), limit);
        if (content === undefined) throw new StillageError("not-found", "it is needed, and not there");
        this.count(0);
        return this.counted(content);
      }),
    );
  }

  private async *counted(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      this.counts.bytes += piece.length;
      yield piece;
    }
    this.report(0);
  }

  private count(bytes: number): void {
    this.counts.objects++;
    this.counts.bytes += bytes;
  }

  private report(commits: number): void {
    this.counts.commits += commits;
    this.options.onProgress?.(this.progress);
  }

  private bytesOf(checksum: Checksum, type: "commit" | "dirtree"): Promise<Uint8Array | undefined> {
    return this.change.readMetadata(checksum, type);
  }

  private async retrying<T>(work: () => Promise<T>): Promise<T> {
    let pause = this.options.pauseMs ?? firstPauseMs;
    for (let attempt = 1; ; attempt++) {
      this.options.signal?.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StillageError) || error.code !== "unavailable" || attempt === attempts) throw error;
      }
      await setTimeout(pause);
      pause *= 2;
    }
  }
}

const missing = (name: ObjectName): StillageError =>
  ofObject(new StillageError("not-found", "the source does not have it"), name);

function inside<T>(name: ObjectName, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw ofObject(error, name);
  }
}
