import { create, toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { type Digest, parseDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { CommitRefSchema } from "../gen/stillage/ostree/v1/commit_ref_pb.ts";
import { decodeCommit } from "../ostree/commit.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import { bytesOfChecksum, type Checksum } from "../ostree/object-name.ts";
import { parseRefName } from "../ostree/ref-name.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { NewRef, RefName, RefStore } from "../store/ref-store.ts";
import { entryOf } from "./artifact-ref-name.ts";
import type { Closure } from "./closure.ts";
import { checkDetached } from "./commit-detached.ts";
import { type CommitEntry, checksumOf, commitEntry } from "./commit-entry.ts";
import { type PushedObjects, storeObjects, withoutRetry } from "./commit-push.ts";
import { readMessage } from "./read-message.ts";

/** What a ref is to be. */
export interface RefChange {
  /** The name of an OSTree ref, such as PROJECT/ELEMENT/KEY. */
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

export interface CommitRefsOptions {
  readonly instance: string;
  readonly blobs: BlobStore;
  readonly refs: RefStore;
  readonly closure: Closure;
  readonly clock: Clock;
}

/** Refs of one push: a message of the protocol has room for some three hundred. */
const maxChanges = 1000;

/** Names above that of an artifact: its project, and its element. */
const artifactDirectories = 2;

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
    await this.checkDirectories(changes);
    await this.checkPresent(changes);
    try {
      await (await this.options.blobs.upload(probe)).abort();
    } catch (error) {
      throw withoutRetry(error);
    }
  }

  /**
   * Sets refs, all or none, in place of what was there. What they are from is compared first: of two pushes that say so and come in the same moment, the later one
   * wins all the same. A crash leaves all of them set, or none.
   * Errors: `invalid`; `failed-precondition` where not all is here that a commit needs; `aborted` where a ref names another commit than the one that it is to be from.
   */
  async set({ changes, detached, by }: RefChanges): Promise<void> {
    const { refs, clock, closure } = this.options;
    checkNames(changes);
    await this.checkDirectories(changes);
    for (const [commit, bytes] of detached) checkDetached(`${commit}.commitmeta`, bytes);
    await this.checkPresent(changes);
    const stored = clock();
    const made: NewRef[] = [];
    for (const { name, to } of changes) {
      const ref = await this.refOf(name, to, detached.get(to), { stored, by });
      if (ref === undefined) throw incomplete(name, to, "the commit itself is missing");
      if (!(await closure.complete(ref.roots))) throw incomplete(name, to, "not all that it needs is there");
      made.push(ref);
    }
    await refs.put(made);
  }

  /** The ref by which a commit is found, to be stored once all that the commit needs is there; `undefined` where the commit itself is not. Errors: `invalid`. */
  async refOf(
    name: string,
    to: Checksum,
    detached: Uint8Array | undefined,
    { stored, by }: Pick<NewRef, "stored" | "by">,
  ): Promise<NewRef | undefined> {
    const { blobs } = this.options;
    const size = await blobs.sizeOf(sha256, to);
    if (size === undefined) return undefined;
    if (size > maxMetadataBytes) throw new StillageError("invalid", `${to} is no OSTree commit: it has ${size} bytes`);
    const digest = parseDigest(to, size, sha256);
    const bytes = await readMessage(blobs, digest);
    if (bytes === undefined) return undefined;
    const { timestamp } = decodeCommit(bytes);
    const message = create(CommitRefSchema, {
      commit: bytesOfChecksum(to),
      commitSize: BigInt(size),
      timestamp: BigInt(timestamp),
      detachedMetadata: detached ?? (await this.attached(name, to)),
    });
    return {
      ...this.nameOf(name),
      message: toBinary(CommitRefSchema, message),
      roots: [{ walk: "commit", digest }],
      stored,
      expires: undefined,
      by,
      artifact: entryOf(name, "1.0", digest),
    };
  }

  /** What is attached to a commit that a ref names already: who pushes it again without that takes nothing away. */
  private async attached(name: string, commit: Checksum): Promise<Uint8Array> {
    const entry = await this.entryOf(name);
    return (entry !== undefined && checksumOf(entry) === commit ? entry.detached : undefined) ?? new Uint8Array(0);
  }

  private async entryOf(name: string): Promise<CommitEntry | undefined> {
    const ref = await this.options.refs.get(this.nameOf(name));
    return ref && commitEntry(ref);
  }

  /** Errors: `invalid` where a ref that is there would be a directory of a new one, or the other way round: nobody could mirror such a repository. */
  private async checkDirectories(changes: readonly RefChange[]): Promise<void> {
    const { refs, instance } = this.options;
    for (const { name } of changes) {
      const above = directoriesOf(name);
      for (const directory of above)
        if ((await this.entryOf(directory)) !== undefined) throw collision(directory, name);
      // All artifacts have names as long as theirs, so there is nothing below one.
      if (above.length >= artifactDirectories) continue;
      const listing = await refs.listed({ space: "ostree", instance });
      const below = listing?.refs.find((each) => each.name.startsWith(`${name}/`));
      if (below !== undefined) throw collision(name, below.name);
    }
  }

  /** Errors: `aborted` where a ref is not what it is to be from. */
  private async checkPresent(changes: readonly RefChange[]): Promise<void> {
    for (const { name, from } of changes) {
      if (from === undefined) continue;
      const entry = await this.entryOf(name);
      const now = entry === undefined ? null : checksumOf(entry);
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
  }

  private nameOf(name: string): RefName {
    return { space: "ostree", instance: this.options.instance, name };
  }
}

/** Errors: `invalid`. */
function checkNames(changes: readonly RefChange[]): void {
  if (changes.length > maxChanges) throw new StillageError("invalid", `a push sets at most ${maxChanges} refs`);
  for (const { name } of changes) parseRefName(name);
  const names = new Set(changes.map(({ name }) => name));
  for (const name of names) {
    const above = directoriesOf(name).find((directory) => names.has(directory));
    if (above !== undefined) throw collision(above, name);
  }
}

function collision(directory: string, name: string): StillageError {
  return new StillageError(
    "invalid",
    `${directory} and ${name} cannot both be refs: one would be the other's directory`,
  );
}

/** `a` and `a/b` of `a/b/c`. */
function directoriesOf(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

function incomplete(name: string, to: string, why: string): StillageError {
  return new StillageError("failed-precondition", `the ref ${name} cannot name the commit ${to}: ${why}`, {
    hint: "push all objects of the commit first",
  });
}
