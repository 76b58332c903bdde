import type { Clock } from "../base/clock.ts";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import type { NewRef, RefName, RefStore, Root } from "../store/ref-store.ts";
import { type MessageWalk, needsOfMessage } from "./artifact-needs.ts";
import { entryOf } from "./artifact-ref-name.ts";
import type { Closure } from "./closure.ts";

/** `PROJECT/ELEMENT/KEY` or `KIND/KEY`: names of elements are file names. */
const maxKeyLength = 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f]/;

/**
 * The trees that a stored message names and that need not be there, as far as they keep something alive. Errors: `invalid` for what is no message, which is
 * never stored.
 */
export function optionalTreesOf({ name }: Pick<RefName, "name">, message: Uint8Array): Root[] {
  if (!name.startsWith("artifact\n")) return [];
  const { optional } = needsOfMessage("artifact", message, sha256);
  return [...optional.values()].map((digest) => ({ walk: "directory", digest }));
}

export interface MessageIndexOptions {
  readonly instance: string;
  readonly refs: RefStore;
  /** Says what is complete; `undefined` where the blobs are on another server. */
  readonly closure: Closure | undefined;
  readonly clock: Clock;
}

/**
 * Artifact and Source messages by their cache keys, as BuildStream 1.91 to 1.93 keeps them: the message itself stands in the index,
 * as the bytes that came, and what it refers to in the storage. Served only while that is complete.
 */
export class MessageIndex {
  private readonly options: MessageIndexOptions;

  constructor(options: MessageIndexOptions) {
    this.options = options;
  }

  /** The message; `undefined` where there is none, or something that it needs is missing. Errors: `invalid` for a key that cannot be. */
  async find(walk: MessageWalk, key: string): Promise<Uint8Array | undefined> {
    const { refs, closure } = this.options;
    const ref = await refs.get(this.refName(walk, key));
    if (ref === undefined) return undefined;
    return closure === undefined || (await closure.complete(ref.roots)) ? ref.message : undefined;
  }

  /**
   * Stores a message in place of what was there. Errors: `invalid` for what is none, `failed-precondition` where what it needs is not here:
   * these clients upload all of it first. `by`: who pushes, in words for people.
   */
  async store(walk: MessageWalk, key: string, message: Uint8Array, by?: string): Promise<void> {
    const { refs, closure, clock } = this.options;
    const ref = this.refOf(walk, key, message, clock());
    if (closure !== undefined && !(await closure.complete(ref.roots))) {
      throw new StillageError("failed-precondition", `not all that the ${walk} ${JSON.stringify(key)} needs is here`, {
        hint: "upload its blobs first",
      });
    }
    await refs.put([{ ...ref, by }]);
  }

  /** The ref that a message is; `stored` in milliseconds since 1970. Errors: `invalid` for what is no message, and a key that cannot be. */
  refOf(walk: MessageWalk, key: string, message: Uint8Array, stored: number): NewRef {
    const name = this.refName(walk, key);
    const { required: roots } = needsOfMessage(walk, message, sha256);
    const artifact = walk === "artifact" ? entryOf(key, "1.9x", digestOf(sha256, message)) : undefined;
    return { ...name, message, roots, stored, expires: undefined, artifact };
  }

  private refName(walk: MessageWalk, key: string): RefName {
    if (key === "" || key.length > maxKeyLength || control.test(key) || !key.isWellFormed()) {
      throw new StillageError("invalid", `a cache key has 1 to ${maxKeyLength} printable characters`);
    }
    return { space: "reference", instance: this.options.instance, name: `${walk}\n${key}` };
  }
}
