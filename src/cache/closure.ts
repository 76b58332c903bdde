import { type Digest, keyOfDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { LruMap } from "../base/lru-map.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { Root } from "../store/ref-store.ts";
import { unaskedMs } from "../store/use-resolution.ts";
import { type MessageRoot, type Needs, readNeeds } from "./artifact-needs.ts";
import { walkCommit } from "./commit-walk.ts";
import { walkDirectories } from "./directory-walk.ts";
import { Presence } from "./presence.ts";
import { Slots } from "./slots.ts";
import { walkTree } from "./tree-message.ts";

/** Walks that run at the same time: each may hold a message of many megabytes, and more would not end sooner. */
export const maxWalks = 2;

/** Messages that are read at the same time, at up to `maxProtoBytes` each. */
export const maxMessages = 8;

/** Trees and messages that are remembered, at some 300 bytes each. */
export const maxRemembered = 50_000;

/** What a message may need at most to be remembered. Of an element it is some ten digests. */
const maxRememberedNeeds = 100;

export interface ClosureOptions {
  /** How long a walk that found a tree complete counts, in milliseconds: the next one is a use of its blobs again. Left out: as for a long lease. */
  readonly unaskedMs?: number;
  /** Milliseconds by a clock that only goes forward. */
  readonly monotonic?: () => number;
}

/**
 * Whether everything is there that roots need:
 * - `blob`: the blob;
 * - `directory`: the Directory, all below it, and their files;
 * - `tree`: the Tree and the files of its directories, which stand in the message itself;
 * - `commit`: the commit of OSTree, all below it, and the file objects;
 * - `artifact`, `source`: the message and what it requires (`readNeeds`). Its optional trees are not required even where another of the roots
 *   names them, because BuildStream's pushes refer to all trees that a message names, uploaded or not.
 * What cannot be read as what it should be, has names in it that lead out of a directory, or is beyond the limits, is as good as missing: the client makes it anew.
 */
export class Closure {
  private readonly blobs: BlobReader;
  private readonly removals: () => number;
  private readonly walks = new Slots(maxWalks);
  private readonly messages = new Slots(maxMessages);
  /**
   * When the walks began that found trees complete, by the monotonic clock. They stay complete until something is removed; but whoever is told so relies on
   * their blobs, which have to count as used then: a sweep goes by that.
   */
  private readonly walked = new LruMap<string, number>(maxRemembered);
  private walkedAt = 0;
  private readonly unaskedMs: number;
  private readonly monotonic: () => number;
  /** What messages need: never changes. */
  private readonly needs = new LruMap<string, Needs>(maxRemembered);

  /** `removals` counts what the store has removed. */
  constructor(blobs: BlobReader, removals: () => number, options: ClosureOptions = {}) {
    this.blobs = blobs;
    this.removals = removals;
    this.unaskedMs = options.unaskedMs ?? unaskedMs(undefined);
    this.monotonic = options.monotonic ?? (() => performance.now());
  }

  async complete(roots: readonly Root[]): Promise<boolean> {
    try {
      return await this.check(roots);
    } catch (error) {
      if (error instanceof StillageError && (error.code === "invalid" || error.code === "corrupt")) return false;
      throw error;
    }
  }

  private async check(roots: readonly Root[]): Promise<boolean> {
    const required: Root[] = [];
    const optional = new Set<string>();
    const presence = new Presence(this.blobs);
    for (const root of roots) {
      if (root.walk !== "artifact" && root.walk !== "source") continue;
      presence.require(root.digest);
      const needs = await this.needsOf({ walk: root.walk, digest: root.digest });
      if (needs === undefined) return false;
      required.push(...needs.required);
      for (const key of needs.optional.keys()) optional.add(key);
    }
    for (const root of roots) if (!optional.has(keyOfDigest(root.digest))) required.push(root);

    const walks: TreeWalk[] = [];
    for (const root of required) {
      if (root.walk === "blob") presence.require(root.digest);
      else if (isWalked(root)) walks.push(root);
    }
    // What is cheap to ask comes first.
    if (!(await presence.all())) return false;
    for (const root of walks) if (!(await this.walk(root))) return false;
    return true;
  }

  private async needsOf(root: MessageRoot): Promise<Needs | undefined> {
    const key = `${root.walk} ${keyOfDigest(root.digest)}`;
    const known = this.needs.get(key);
    if (known !== undefined) return known;
    const needs = await this.messages.run(() => readNeeds(this.blobs, root));
    if (needs !== undefined && needs.required.length + needs.optional.size <= maxRememberedNeeds) {
      this.needs.set(key, needs);
    }
    return needs;
  }

  private async walk({ walk, digest }: TreeWalk): Promise<boolean> {
    const key = `${walk} ${keyOfDigest(digest)}`;
    const since = this.monotonic() - this.unaskedMs;
    if (this.remembers(key, since)) return true;
    return this.walks.run(async () => {
      // Many clients ask for a new tree at once: the first walk serves all who waited.
      if (this.remembers(key, since)) return true;
      const before = this.removals();
      const began = this.monotonic();
      if (!(await this.isWhole(walk, digest))) return false;
      if (this.removals() === before) this.walked.set(key, began);
      return true;
    });
  }

  private async isWhole(walk: TreeWalk["walk"], digest: Digest): Promise<boolean> {
    if (walk === "commit") return walkCommit(this.blobs, digest);
    const presence = new Presence(this.blobs);
    const found = await (walk === "tree" ? walkTree : walkDirectories)(this.blobs, digest, presence);
    return found && (await presence.all());
  }

  /** Whether a walk that began at `since` or later has found it complete. */
  private remembers(key: string, since: number): boolean {
    const removals = this.removals();
    if (removals !== this.walkedAt) {
      this.walked.clear();
      this.walkedAt = removals;
    }
    const began = this.walked.get(key);
    return began !== undefined && began >= since;
  }
}

/** The roots that are trees. */
interface TreeWalk extends Root {
  readonly walk: "directory" | "tree" | "commit";
}

function isWalked(root: Root): root is TreeWalk {
  return root.walk === "directory" || root.walk === "tree" || root.walk === "commit";
}
