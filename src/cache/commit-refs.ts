import { create, toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { type Digest, digestOf, parseDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { CommitRefSchema } from "../gen/stillage/ostree/v1/commit_ref_pb.ts";
import { decodeCommit } from "../ostree/commit.ts";
import { bytesOfChecksum, type Checksum } from "../ostree/object-name.ts";
import { parseRefName } from "../ostree/ref-name.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { NewRef, RefName, RefStore, Root } from "../store/ref-store.ts";
import { entryOf } from "./artifact-ref-name.ts";
import { isCachedRef } from "./cached-ref.ts";
import type { Closure } from "./closure.ts";
import { checkDetached } from "./commit-detached.ts";
import { checksumOf, commitEntry } from "./commit-entry.ts";
import { type PushedObjects, storeObjects, withoutRetry } from "./commit-push.ts";
import { maxCommitBytes } from "./commit-walk.ts";
import { readMessage } from "./read-message.ts";

/** What a ref is to be. */
export interface RefChange {
  /** PROJECT/ELEMENT/KEY. */
  readonly name: string;
  readonly to: Checksum;
  /** The commit that it has to name until then; `null`: it must not be there; `undefined`: whatever it is. */
  readonly from: Checksum | null | undefined;
}

export interface RefChanges {
  /** In the order in which they are to be listed: the strong key first. */
  readonly changes: readonly RefChange[];
  /** The detached metadata of commits among them. */
  readonly detached: ReadonlyMap<Checksum, Uint8Array>;
  /** Who pushes, in words for people. */
  readonly by: string | undefined;
}

/** What the refs of a commit say of it. */
export interface CommitTold {
  readonly digest: Digest;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly detached: Digest | undefined;
}

export interface CommitRefsOptions {
  readonly instance: string;
  readonly blobs: BlobStore;
  readonly refs: RefStore;
  readonly closure: Closure;
  readonly clock: Clock;
}

/** Refs of one push: a message of the protocol has room for some three hundred. */
const maxChanges = 1000;

/** What a push may need at least: where not even that is free, its objects need not come. */
const probedBytes = 1 << 20;

/** Room is asked for with a blob that nobody has and that never comes. */
const probe: Digest = parseDigest("0".repeat(64), probedBytes, sha256);

/** What BuildStream 1.0 pushes: commits with all that they need, and the refs that name them. */
export class CommitRefs {
  private readonly options: CommitRefsOptions;

  constructor(options: CommitRefsOptions) {
    this.options = options;
  }

  /** See `storeObjects`. */
  store(chunks: AsyncIterable<Uint8Array>, maxObjectBytes: number | undefined): Promise<PushedObjects> {
    return storeObjects(this.options.blobs, chunks, maxObjectBytes);
  }

  /** What can be known of refs before their objects are here. Errors: as of `set`, and `exhausted` where there is no room for anything. */
  async check(changes: readonly RefChange[]): Promise<void> {
    checkNames(changes);
    await this.checkPresent(changes);
    try {
      await (await this.options.blobs.upload(probe)).abort();
    } catch (error) {
      throw withoutRetry(error);
    }
  }

  /**
   * Sets refs, all or none, in place of what was there. Of two pushes that say what they are from and come in the same moment, one is refused.
   * A crash leaves all of them set, or none.
   * Errors: `invalid`; `failed-precondition` where not all is here that a commit needs; `aborted` where a ref names another commit than the one that it is to be from.
   */
  async set({ changes, detached, by }: RefChanges): Promise<void> {
    const { refs, clock } = this.options;
    checkNames(changes);
    for (const [commit, bytes] of detached) checkDetached(`${commit}.commitmeta`, bytes);
    const before = await this.checkPresent(changes);
    const stored = clock();
    const made: NewRef[] = [];
    const told = new Map<Checksum, CommitTold>();
    for (const { name, to } of changes) {
      const known = told.get(to) ?? (await this.whole(name, to, detached.get(to)));
      told.set(to, known);
      made.push({ ...(await this.refTo(name, known, { stored, by })), over: before.get(name) });
    }
    await refs.put(made);
  }

  /** What refs say of a commit that has all that it needs, once for all of them. Errors: `failed-precondition`, `invalid`. */
  private async whole(name: string, to: Checksum, attached: Uint8Array | undefined): Promise<CommitTold> {
    const told = await this.told(to, attached);
    if (told === undefined) throw incomplete(name, to, "the commit itself is missing");
    if (await this.options.closure.complete([{ walk: "commit", digest: told.digest }])) return told;
    throw incomplete(name, to, "not all that it needs is there");
  }

  /** What refs say of a commit; `undefined` where it is not here. What is attached to it is stored. Errors: `invalid`. */
  async told(to: Checksum, attached: Uint8Array | undefined): Promise<CommitTold | undefined> {
    const { blobs } = this.options;
    const size = await blobs.sizeOf(sha256, to);
    if (size === undefined) return undefined;
    if (size > maxCommitBytes)
      throw new StillageError("invalid", `${to} is no commit of an artifact: it has ${size} bytes`);
    const digest = parseDigest(to, size, sha256);
    const bytes = await readMessage(blobs, digest);
    if (bytes === undefined) return undefined;
    const { timestamp } = decodeCommit(bytes);
    const detached = attached && digestOf(sha256, attached);
    if (attached !== undefined && detached !== undefined) await blobs.put(detached, attached);
    return { digest, timestamp, detached };
  }

  /** The ref by which a commit is found, to be stored once all that the commit needs is there. */
  async refTo(name: string, told: CommitTold, { stored, by }: Pick<NewRef, "stored" | "by">): Promise<NewRef> {
    const { digest, timestamp } = told;
    const detached = told.detached ?? (await this.attached(name, digest.hash));
    const message = create(CommitRefSchema, {
      commit: bytesOfChecksum(digest.hash),
      commitSize: BigInt(digest.size),
      timestamp: BigInt(timestamp),
      detachedMetadata: detached === undefined ? new Uint8Array(0) : bytesOfChecksum(detached.hash),
      detachedMetadataSize: BigInt(detached?.size ?? 0),
    });
    const roots: Root[] = [{ walk: "commit", digest }];
    if (detached !== undefined) roots.push({ walk: "blob", digest: detached });
    return {
      ...this.nameOf(name),
      message: toBinary(CommitRefSchema, message),
      roots,
      stored,
      expires: undefined,
      by,
      artifact: entryOf(name, "1.0", digest),
    };
  }

  /** What is attached to a commit that a ref names already: who pushes it again without that takes nothing away. */
  private async attached(name: string, commit: Checksum): Promise<Digest | undefined> {
    const ref = await this.options.refs.get(this.nameOf(name));
    const entry = ref && commitEntry(ref);
    return entry !== undefined && checksumOf(entry) === commit ? entry.detached : undefined;
  }

  /** The messages of refs that are to be from something, `null` where there is none. Errors: `aborted` where one is not what it is to be from. */
  private async checkPresent(changes: readonly RefChange[]): Promise<ReadonlyMap<string, Uint8Array | null>> {
    const present = new Map<string, Uint8Array | null>();
    for (const { name, from } of changes) {
      if (from === undefined) continue;
      const ref = await this.options.refs.get(this.nameOf(name));
      const now = ref === undefined ? null : checksumOf(commitEntry(ref));
      present.set(name, ref?.message ?? null);
      if (now === from) continue;
      const found = now === null ? "is not there" : `names ${now}`;
      throw new StillageError(
        "aborted",
        `the ref ${name} ${found}, and not ${from ?? "nothing"}, from which it was to be set`,
        {
          hint: "somebody else has pushed it meanwhile; see what is there, and push again",
        },
      );
    }
    return present;
  }

  private nameOf(name: string): RefName {
    return { space: "ostree", instance: this.options.instance, name };
  }
}

/** Errors: `invalid`. */
function checkNames(changes: readonly RefChange[]): void {
  if (changes.length > maxChanges) throw new StillageError("invalid", `a push sets at most ${maxChanges} refs`);
  for (const { name } of changes) {
    parseRefName(name);
    if (isCachedRef(name)) continue;
    throw new StillageError("invalid", `the ref ${name} is not that of an artifact, PROJECT/ELEMENT/KEY`, {
      hint: "this cache keeps artifacts; other branches go into a repository of releases",
    });
  }
}

function incomplete(name: string, to: string, why: string): StillageError {
  return new StillageError("failed-precondition", `the ref ${name} cannot name the commit ${to}: ${why}`, {
    hint: "push all objects of the commit first",
  });
}
