import { randomBytes } from "node:crypto";
import { mkdir, readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../../base/clock.ts";
import { sha256 } from "../../base/digest-function.ts";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { FileLock } from "../../base/file-lock.ts";
import type { Dictionary } from "../../base/gvariant/value.ts";
import { hashOf } from "../../base/hash.ts";
import { inParallel } from "../../base/in-parallel.ts";
import type { FileHeader } from "../../base/ostree-file.ts";
import { checkMetadata } from "../check-metadata.ts";
import { checkMetadataSize } from "../metadata-limit.ts";
import { type Checksum, type ObjectName, type ObjectType, parseChecksum } from "../object-name.ts";
import { parseRefName } from "../ref-name.ts";
import type { ArchiveRepository, ChangeOptions, MetadataType, StoredSummary } from "./archive-repository.ts";
import { writeNewFile } from "./durable-file.ts";
import { ObjectStaging, ofObject } from "./object-staging.ts";
import { dropStaging, type Move, publish } from "./publication.ts";
import { type Content, putFile } from "./put-file.ts";
import { writeForeign } from "./put-foreign.ts";
import { listRefs, refText } from "./ref-files.ts";
import { refMoves, refsAfter } from "./ref-moves.ts";
import { clearRefPlaces } from "./ref-places.ts";
import { detachedPath, partialPath, stagingPrefix } from "./repository-layout.ts";
import { lockStaging } from "./staging-lock.ts";
import { checkStillWhole } from "./still-whole.ts";
import { summaryOf } from "./write-summary.ts";

export interface PublishOptions {
  /** Gives the new content of `summary.sig` for the bytes of a new summary. Without it, or where it gives nothing, a new summary has no signature. */
  readonly signSummary?: (summary: Uint8Array) => Promise<Uint8Array | undefined>;
  /** `refresh`: a new summary although no ref changes. `leave`: none, whatever changes. Or the very bytes, as a mirror takes them over; then nothing is signed. */
  readonly summary?: "refresh" | "leave" | StoredSummary;
  /** What the summary says of the repository besides what it must. */
  readonly summaryMetadata?: Dictionary;
  readonly clock?: Clock;
}

/** Files whose way to the disk is waited for at the same time. */
const filesAtOnce = 16;

/** What a file of the repository is to have in it; nothing to remove it. */
interface NewContent {
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

/**
 * What is to become of a repository: objects, detached metadata, refs. All of it happens at `publish`, or nothing. Whatever is put is
 * on the disk when its promise resolves, in a directory of the change's own.
 *
 * What a crash leaves: before `publish`, a directory in `tmp`, which the next change removes. While objects are placed, objects to which nothing
 * leads; each commit among them is complete. From then on, see `publication.ts`.
 */
export class RepositoryChange {
  readonly repository: ArchiveRepository;
  /** The repository's; `undefined` while the change is beside others. */
  private lock: FileLock | undefined;
  /** The staging directory's, of a change that began beside others. */
  private readonly own: FileLock | undefined;
  /** The directory of what is staged: a path in the repository. */
  private readonly staging: string;
  private readonly objects: ObjectStaging;
  private readonly detached = new Map<Checksum, Uint8Array | undefined>();
  private readonly refs = new Map<string, Checksum | undefined>();
  /** Commits of which all that they need is there, whatever a mark says. */
  private readonly whole = new Set<Checksum>();
  private files = 0;
  private over = false;
  /** Whether all is decided: what is staged then belongs to the repository, and whoever comes next finishes it if we cannot. */
  private decided = false;

  private constructor(
    repository: ArchiveRepository,
    { lock, own }: { readonly lock?: FileLock; readonly own?: FileLock },
    staging: string,
  ) {
    this.repository = repository;
    this.lock = lock;
    this.own = own;
    this.staging = staging;
    const folder = join(repository.directory, staging);
    this.objects = new ObjectStaging(repository.directory, folder, (checksum, type) => repository.has(checksum, type));
  }

  /** For `ArchiveRepository.begin`, which has the lock. */
  static async begin(repository: ArchiveRepository, lock: FileLock): Promise<RepositoryChange> {
    const staging = newStaging();
    await makeStaging(repository.directory, staging);
    return new RepositoryChange(repository, { lock }, staging);
  }

  /** For `ArchiveRepository.beginBeside`. */
  static async beginBeside(repository: ArchiveRepository): Promise<RepositoryChange> {
    for (;;) {
      const staging = newStaging();
      const own = lockStaging(repository.directory, staging);
      if (own === undefined) continue;
      try {
        await makeStaging(repository.directory, staging);
        return new RepositoryChange(repository, { own }, staging);
      } catch (error) {
        own.release();
        throw error;
      }
    }
  }

  /**
   * Makes a change that began beside others the only one, which can be published. `commits`: those that it will lead to, with all that was found to be there already.
   * Errors: `aborted` where something of that is not there any more; those of `ArchiveRepository.begin`.
   */
  async joinAlone(commits: Iterable<Checksum>, options?: ChangeOptions): Promise<void> {
    this.lock ??= await this.repository.lockAlone(options);
    await checkStillWhole(this, commits);
  }

  /** Whether an object is in the repository, or will be with this change. */
  has(checksum: Checksum, type: ObjectType): boolean {
    return this.objects.has(checksum, type);
  }

  /** The bytes of an object that is in the repository, or in this change. Errors: `corrupt`. */
  async readMetadata(checksum: Checksum, type: MetadataType): Promise<Uint8Array | undefined> {
    const path = await this.objects.pathOf(checksum, type);
    return path === undefined ? this.repository.readMetadata(checksum, type) : readFile(path);
  }

  /** Errors: `invalid` for bytes that are not of the type's form. */
  async putMetadata(type: MetadataType, bytes: Uint8Array): Promise<Checksum> {
    const checksum = hashOf(sha256, bytes);
    await this.objects.add({ checksum, type }, async (path) => {
      checkMetadata(type, bytes);
      await writeNewFile(path, bytes);
    });
    return checksum;
  }

  /** A file or link, of its plain content: see `put-file.ts`. */
  putFile(header: FileHeader, size: number, open: () => Content | Promise<Content>): Promise<Checksum> {
    return putFile(this.objects, header, size, open, this.repository.config.zlibLevel);
  }

  /**
   * An object in its stored form, as it comes from somebody else; verified before it counts. That what it leads to is there, too, is for the caller to
   * see to before a ref leads to it. Errors: `invalid`, naming the object; those of the source.
   */
  async putForeign(
    checksum: Checksum,
    type: ObjectType,
    source: () => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    const name = { checksum: parseChecksum(checksum), type };
    await this.objects
      .add(name, async (path) => writeForeign(name, this.untilOver(await source()), path))
      .catch((error: unknown) => {
        throw ofObject(error, name);
      });
  }

  /** The detached metadata of a commit, `undefined` to remove it. */
  setDetached(commit: Checksum, bytes: Uint8Array | undefined): void {
    if (bytes !== undefined) checkMetadataSize("detached metadata", bytes);
    this.detached.set(parseChecksum(commit), bytes);
  }

  /** Says that all that a commit needs is in the repository or this change: whoever has broken off a pull of it has left a mark to the contrary. */
  setWhole(commit: Checksum): void {
    this.whole.add(commit);
  }

  /** Where a ref leads from now on, `undefined` to remove it. Errors: `invalid` for what can be none. */
  setRef(name: string, commit: Checksum | undefined): void {
    this.refs.set(parseRefName(name), commit && parseChecksum(commit));
  }

  /**
   * Makes it so. Errors, with nothing changed: `not-found` for refs to commits that are not there, `failed-precondition` for refs that cannot be
   * beside each other, those of `signSummary`; and those of the file system, of which one in the last steps leaves the rest to the next change.
   */
  async publish(options: PublishOptions = {}): Promise<void> {
    if (this.over) throw new StillageError("failed-precondition", "the change is over");
    if (this.lock === undefined) throw new StillageError("failed-precondition", "the change is still beside others");
    try {
      await this.objects.settle();
      const before = await listRefs(this.repository.directory);
      const after = refsAfter(before, this.refs);
      await clearRefPlaces(this.repository.directory, before, this.refs);
      this.checkCommits();
      const now = (options.clock ?? systemClock)();
      const time = Math.floor(now / 1000);
      const summary = await this.newSummary(options, after, time);
      const groups = [await this.detachedMoves(), await this.refMoves(before), await this.summaryMoves(summary, now)];
      await this.objects.place();
      if (groups.some((moves) => moves.length > 0)) {
        this.decided = true;
        const publication = { groups, time: summary === undefined ? null : now / 1000 };
        await publish(this.repository.directory, this.staging, publication);
        this.decided = false;
      }
    } finally {
      await this.abort();
    }
  }

  /** The objects that the repository has since this change was published, and had not before. */
  get placed(): readonly ObjectName[] {
    return this.objects.placed;
  }

  /** Gives up what was not published. `keep`: but for objects that have come whole, which nothing leads to; the next pull goes on with them, and a prune removes them. */
  async abort({ keep = false }: { readonly keep?: boolean } = {}): Promise<void> {
    if (this.over) return;
    this.over = true;
    try {
      if (keep && !this.decided) await this.objects.placeWhole();
      else await this.objects.close();
      if (!this.decided) await dropStaging(this.repository.directory, this.staging);
    } finally {
      // What was decided and is left over is for whoever has the repository's lock next.
      this.own?.release();
      this.lock?.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  /** What still comes when the change has been given up is not waited for. */
  private async *untilOver(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      if (this.over) throw new StillageError("cancelled", "the change was given up");
      yield piece;
    }
  }

  /** Every ref that is set leads to a commit that is there, and whole. */
  private checkCommits(): void {
    const fresh = new Set([...this.objects.commits, ...this.whole]);
    for (const [name, commit] of this.refs) {
      if (commit === undefined || fresh.has(commit)) continue;
      if (!this.repository.has(commit, "commit") || this.repository.isPartial(commit)) {
        throw new StillageError("not-found", `the ref ${name} cannot lead to ${commit}: there is no such commit`);
      }
    }
  }

  private async newSummary(
    { signSummary, summary, summaryMetadata = [] }: PublishOptions,
    after: ReadonlyMap<string, Checksum>,
    time: number,
  ): Promise<StoredSummary | undefined> {
    if (typeof summary === "object") {
      const same = this.refs.size === 0 && isDeepStrictEqual(summary, await this.repository.summary());
      return same ? undefined : summary;
    }
    if (summary === "leave" || (this.refs.size === 0 && summary === undefined)) return undefined;
    const bytes = await summaryOf(this.repository, this.readMetadata.bind(this), after, summaryMetadata, time);
    return { bytes, signature: await signSummary?.(bytes) };
  }

  private async detachedMoves(): Promise<Move[]> {
    const files: NewContent[] = [];
    for (const [commit, bytes] of this.detached) files.push({ path: detachedPath(commit), bytes });
    for (const commit of new Set([...this.objects.commits, ...this.whole])) {
      if (this.repository.isPartial(commit)) files.push({ path: partialPath(commit), bytes: undefined });
    }
    return this.stage(files);
  }

  private async refMoves(before: Awaited<ReturnType<typeof listRefs>>): Promise<Move[]> {
    return this.stage(
      refMoves(before, this.refs).map(({ path, commit }) => ({
        path,
        bytes: commit === undefined ? undefined : refText(commit),
      })),
    );
  }

  /** Both files get one time, to the millisecond, by which servers know that they belong together: that of no publication before. */
  private async summaryMoves(summary: StoredSummary | undefined, now: number): Promise<Move[]> {
    if (summary === undefined) return [];
    const { bytes, signature } = summary;
    const moves = await this.stage([
      { path: "summary.sig", bytes: signature },
      { path: "summary", bytes },
    ]);
    for (const { from } of moves) {
      if (from.startsWith(this.staging)) await utimes(join(this.repository.directory, from), now / 1000, now / 1000);
    }
    return moves;
  }

  /** Stages the new content of files, or their removal, and says what then is to be moved, in the same order. */
  private async stage(files: readonly NewContent[]): Promise<Move[]> {
    const staged = files.map(({ path, bytes }) => {
      const name = join(this.staging, `${this.files++}`);
      return { bytes, name, move: bytes === undefined ? { from: path, to: name } : { from: name, to: path } };
    });
    await inParallel(staged, filesAtOnce, async ({ bytes, name }) => {
      if (bytes !== undefined) await writeNewFile(join(this.repository.directory, name), bytes);
    });
    return staged.map(({ move }) => move);
  }
}

function newStaging(): string {
  return join("tmp", `${stagingPrefix}${randomBytes(8).toString("hex")}`);
}

async function makeStaging(repository: string, staging: string): Promise<void> {
  await mkdir(join(repository, staging)).catch((error: unknown) => {
    throw fromFileSystem(error, `cannot make ${join(repository, staging)}`);
  });
}
