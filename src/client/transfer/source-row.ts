import { type Digest, keyOfDigest, showDigest } from "../../base/digest.ts";
import { asStillageError, StillageError } from "../../base/errors.ts";
import type { BlobSource, PieceUse, TakeBatch } from "../blob-place.ts";

/** A source by the name that messages give it. */
export interface NamedSource {
  readonly name: string;
  readonly blobs: BlobSource;
}

/** What went wrong, and where. */
export interface PlaceFault {
  readonly place: string;
  readonly error: StillageError;
}

/**
 * Sources that are asked in their order, for one artifact: what one lacks or fails with is asked of the next one, and what it gave before stays. Who failed or
 * had nothing of what was asked for is asked last from then on. All members of `faults` are errors of sources: `take` and who consumes fail as they are.
 */
export class SourceRow {
  private order: NamedSource[];
  private readonly noted = new Map<NamedSource, StillageError>();

  constructor(sources: readonly NamedSource[]) {
    this.order = [...sources];
  }

  /** The first fault of each source. */
  get faults(): PlaceFault[] {
    return [...this.noted].map(([{ name }, error]) => ({ place: name, error }));
  }

  /** As `BlobSource.readMany`, and each blob once; gives those that no source gave. Errors: those of `take`, and `cancelled`. */
  async readMany(digests: readonly Digest[], take: TakeBatch, signal: AbortSignal): Promise<readonly Digest[]> {
    let rest = digests;
    for (const source of [...this.order]) {
      if (rest.length === 0) break;
      const left = await this.readFrom(source, rest, take, signal);
      if (left.length === rest.length) this.askLast(source);
      rest = left;
    }
    return rest;
  }

  /** A blob of any size, for a sink that may ask for it more than once. */
  stream(digest: Digest, use: PieceUse, signal: AbortSignal): BlobStream {
    return new BlobStream(this, digest, use, signal);
  }

  /** As they are to be asked now. */
  sources(): readonly NamedSource[] {
    return [...this.order];
  }

  note(source: NamedSource, error: StillageError): void {
    if (error.code !== "not-found" && !this.noted.has(source)) this.noted.set(source, error);
    this.askLast(source);
  }

  private async readFrom(
    source: NamedSource,
    digests: readonly Digest[],
    take: TakeBatch,
    signal: AbortSignal,
  ): Promise<readonly Digest[]> {
    const came: Digest[] = [];
    let own: { readonly error: unknown } | undefined;
    const noted: TakeBatch = async (batch) => {
      try {
        await take(batch);
      } catch (error) {
        own ??= { error };
        throw error;
      }
      for (const { digest } of batch.blobs) came.push(digest);
    };
    try {
      const left = await source.blobs.readMany(digests, noted, signal);
      // One hash in two sizes is two blobs, of which a source may tell of one.
      if (left.length + came.length === digests.length) return left;
    } catch (error) {
      if (own !== undefined) throw own.error;
      signal.throwIfAborted();
      this.note(source, asStillageError(error));
    }
    const taken = new Set(came.map(keyOfDigest));
    return digests.filter((digest) => !taken.has(keyOfDigest(digest)));
  }

  private askLast(source: NamedSource): void {
    if (this.order.length > 1) this.order = [...this.order.filter((each) => each !== source), source];
  }
}

/** A blob as its sources give it, each from some byte on to the end. */
export class BlobStream {
  /** What `content` failed with: `not-found` where all lack it. Whoever calls it again, while the stream is `usable`, resets it. */
  failure: StillageError | undefined;
  private worst: StillageError | undefined;
  private readonly row: SourceRow;
  private readonly digest: Digest;
  private readonly use: PieceUse;
  private readonly signal: AbortSignal;
  /** Who gave other bytes once: they may have been damaged on their way. */
  private readonly doubted = new Set<NamedSource>();
  private readonly spent = new Set<NamedSource>();

  constructor(row: SourceRow, digest: Digest, use: PieceUse, signal: AbortSignal) {
    this.row = row;
    this.digest = digest;
    this.use = use;
    this.signal = signal;
  }

  /** Whether anybody is left to ask. */
  get usable(): boolean {
    return this.row.sources().some((source) => !this.spent.has(source));
  }

  /**
   * The bytes from `offset` on, of the first source that has any; from 0 on verified at their end. Where it breaks off the next is asked by another call, from where the reader is: what two
   * gave is verified by neither. Who gave other bytes is asked once more, behind all others. Errors: what `failure` says; `cancelled`.
   */
  async *content(offset: number): AsyncGenerator<Uint8Array> {
    for (const source of this.row.sources()) {
      if (this.spent.has(source)) continue;
      let hasBegun = false;
      try {
        for await (const bytes of source.blobs.read(this.digest, offset, this.signal, this.use)) {
          hasBegun = true;
          yield bytes;
        }
        return;
      } catch (error) {
        this.signal.throwIfAborted();
        const failure = asStillageError(error);
        const again = failure.code === "corrupt" && !this.doubted.has(source);
        (again ? this.doubted : this.spent).add(source);
        this.row.note(source, failure);
        if (this.worst === undefined || this.worst.code === "not-found") this.worst = failure;
        if (hasBegun) throw this.fail(failure);
      }
    }
    throw this.fail(this.worst ?? new StillageError("not-found", `nobody has ${showDigest(this.digest)}`));
  }

  private fail(failure: StillageError): StillageError {
    this.failure = failure;
    return failure;
  }
}
