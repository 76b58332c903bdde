import { type Digest, showDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { LruMap } from "../base/lru-map.ts";
import { DigestSet } from "../cache/digest-set.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { maxPackedSize } from "../store/disk/pack.ts";
import type { Sharing } from "../store/disk/shared-bytes.ts";
import { InFlight } from "./in-flight.ts";
import type { FoundBlob, OldBlobs } from "./old-blobs.ts";
import type { Outcome } from "./outcome.ts";

/** Where blobs go. */
export interface OwnBlobs extends BlobStore {
  /** As DiskTenant has it; a store without it verifies again. */
  putVerified?(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** As DiskTenant has it; a store that cannot share files has none. */
  share?(digest: Digest, source: string, sharing: Sharing): Promise<boolean>;
}

export interface IntakeOptions {
  readonly own: OwnBlobs;
  readonly old: OldBlobs;
  readonly outcome: Outcome;
  /** Whether a large blob may become another name of the old server's file: `mayLink` says of which. */
  readonly mayLink: ((path: string) => Promise<boolean>) | undefined;
  /** Nothing is stored, and only what has to be read is read and verified. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** Wrong blobs that are remembered, so that each is read and told once although many names need it. */
const maxRemembered = 20_000;

/** So often cloning is tried: a file system that has not cloned any of these does not clone. */
const maxFailedClones = 3;

/** Takes blobs over, each verified before anybody relies on it. */
export class Intake {
  private readonly options: IntakeOptions;
  private readonly inFlight = new InFlight();
  private readonly wrong = new LruMap<string, true>(maxRemembered);
  /** Those that are being taken. */
  private readonly arriving = new Map<string, Promise<boolean>>();
  private failedClones = 0;
  /** In a dry run, what would be there: of each function, hashes without sizes. */
  private readonly counted = new Map<DigestFunction, DigestSet>();

  constructor(options: IntakeOptions) {
    this.options = options;
  }

  /** Whether a blob need not be taken: it is in the store or on its way. */
  async has(fn: DigestFunction, hash: string): Promise<boolean> {
    if (hash === fn.emptyHash || this.inFlight.get(hash) !== undefined) return true;
    if (this.counted.get(fn)?.has(hashAlone(fn, hash), 0)) return true;
    return (await this.options.own.sizeOf(fn, hash)) !== undefined;
  }

  /** The size of a blob of which the hash alone is known, and which is taken unless it is there; `undefined` as `take` has it. Errors: `exhausted`. */
  async takeHash(fn: DigestFunction, hash: string): Promise<number | undefined> {
    const there = this.inFlight.get(hash)?.length ?? (await this.options.own.sizeOf(fn, hash));
    if (there !== undefined) return there;
    const digest = await this.guarded({ function: fn, hash, size: 0 }, async (blob) => {
      const found = await this.options.old.find(blob);
      return found && { ...blob, size: found.stats.size };
    });
    return digest !== undefined && (await this.take(digest)) ? digest.size : undefined;
  }

  /** Whether a blob has been found wrong. */
  isWrong(hash: string): boolean {
    return this.wrong.get(hash) === true;
  }

  /** Takes a blob that is not there. False where the old server does not have it, or something else under its name. Errors: `exhausted`. */
  async take(digest: Digest): Promise<boolean> {
    const { signal } = this.options;
    signal.throwIfAborted();
    if (this.wrong.get(digest.hash)) return false;
    const key = showDigest(digest);
    const before = this.arriving.get(key);
    if (before !== undefined) return before;
    const taking = this.takeNow(digest).finally(() => this.arriving.delete(key));
    this.arriving.set(key, taking);
    return taking;
  }

  /**
   * The bytes of a blob that is not there yet, or on its way, which is taken at the same time; `undefined` as `take` has it. For blobs up to
   * `maxPackedSize`; in a dry run the caller bounds the size.
   */
  async bytes(digest: Digest): Promise<Uint8Array | undefined> {
    const before = this.inFlight.get(digest.hash);
    if (before !== undefined) return before.length === digest.size ? before : undefined;
    if (this.wrong.get(digest.hash)) return undefined;
    return this.guarded(digest, async () => {
      const bytes = await this.options.old.read(digest);
      if (bytes === undefined) return undefined;
      if (this.options.dryRun) this.count(digest);
      else await this.store(digest, bytes);
      return bytes;
    });
  }

  /** Resolves when everything that was taken is durable. */
  settled(): Promise<void> {
    return this.inFlight.settled();
  }

  private async takeNow(digest: Digest): Promise<boolean> {
    const { dryRun } = this.options;
    if (dryRun) return (await this.guarded(digest, () => this.look(digest))) ?? false;
    if (digest.size <= maxPackedSize) return (await this.bytes(digest)) !== undefined;
    return (await this.guarded(digest, () => this.takeLarge(digest))) ?? false;
  }

  /** The old server's file of this name and size. */
  private async lying(digest: Digest): Promise<FoundBlob | undefined> {
    const found = await this.options.old.find(digest);
    return found?.stats.isFile() === true && found.stats.size === digest.size ? found : undefined;
  }

  /** In a dry run, counts a blob that would be taken. */
  private async look(digest: Digest): Promise<true | undefined> {
    if ((await this.lying(digest)) === undefined) return undefined;
    this.count(digest);
    return true;
  }

  private async store(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (await this.has(digest.function, digest.hash)) return;
    if (this.inFlight.get(digest.hash) !== undefined) return; // it has come by another way meanwhile
    this.count(digest);
    await this.inFlight.add(digest.hash, bytes, () => this.put(digest, bytes));
  }

  /** Of bytes that were verified. */
  private put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const { own } = this.options;
    return own.putVerified === undefined ? own.put(digest, bytes) : own.putVerified(digest, bytes);
  }

  private async takeLarge(digest: Digest): Promise<boolean | undefined> {
    const { own, outcome, mayLink } = this.options;
    const found = await this.lying(digest);
    if (found === undefined) return undefined;
    if (found.check !== undefined) return this.takeWhole(digest);
    const { path } = found;
    const { blobs } = outcome;
    const mayClone = blobs.cloned > 0 || this.failedClones < maxFailedClones;
    if (mayClone && (await own.share?.(digest, path, "clone"))) {
      blobs.cloned++;
    } else {
      this.failedClones++;
      if (!(await mayLink?.(path)) || !(await own.share?.(digest, path, "link"))) return this.copy(digest);
      blobs.linked++;
    }
    blobs.sharedBytes += digest.size;
    this.count(digest);
    return true;
  }

  /** Takes what has to be read in one piece. */
  private async takeWhole(digest: Digest): Promise<boolean | undefined> {
    if (digest.size > maxMetadataBytes) {
      throw new StillageError("invalid", `it has ${digest.size} bytes, and may have ${maxMetadataBytes}`);
    }
    const bytes = await this.options.old.read(digest);
    if (bytes === undefined) return undefined;
    await this.put(digest, bytes);
    this.count(digest);
    return true;
  }

  private async copy(digest: Digest): Promise<boolean> {
    const { own, old, signal } = this.options;
    const upload = await own.upload(digest);
    try {
      for await (const piece of old.pieces(digest)) {
        signal.throwIfAborted();
        await upload.write(piece);
      }
      await upload.finish();
    } finally {
      await upload.abort();
    }
    this.count(digest);
    return true;
  }

  /** Counts a blob that is taken; in a dry run, one that would be, once however often it is asked for. */
  private count({ function: fn, hash, size }: Digest): void {
    const { dryRun, outcome } = this.options;
    if (dryRun) {
      const counted = this.counted.get(fn) ?? new DigestSet(fn);
      this.counted.set(fn, counted);
      if (!counted.add(hashAlone(fn, hash), 0)) return;
    }
    outcome.blobs.taken++;
    outcome.blobs.takenBytes += size;
  }

  /** In a dry run a blob is counted by its name before it may be read. */
  private uncount({ function: fn, hash, size }: Digest): void {
    if (this.wrong.get(hash) !== undefined || !this.counted.get(fn)?.has(hashAlone(fn, hash), 0)) return;
    const { blobs } = this.options.outcome;
    blobs.taken--;
    blobs.takenBytes -= size;
  }

  /** What is wrong with a blob is told, and the blob is as good as missing. */
  private async guarded<T>(digest: Digest, read: (digest: Digest) => Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await read(digest);
    } catch (error) {
      if (!(error instanceof StillageError) || (error.code !== "corrupt" && error.code !== "invalid")) throw error;
      const { old, outcome } = this.options;
      this.uncount(digest);
      if (this.wrong.get(digest.hash) === undefined) {
        this.wrong.set(digest.hash, true);
        outcome.blobs.wrong++;
        outcome.report({ path: old.pathOf(digest), why: error.message.replace(`${showDigest(digest)} `, "it ") });
      }
      return undefined;
    }
  }
}

function hashAlone(fn: DigestFunction, hash: string): DigestList {
  return DigestList.of({ function: fn, hash, size: 0 });
}
