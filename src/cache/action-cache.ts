import { create, toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { decode } from "../base/decode.ts";
import type { Digest } from "../base/digest.ts";
import { type ActionResult, ActionResultSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { NewRef, RefName, RefStore } from "../store/ref-store.ts";
import { type Inline, inlineInto, wantsInline } from "./action-inline.ts";
import { rootsOfResult } from "./action-outputs.ts";
import type { Closure } from "./closure.ts";

/** A result with what was inlined into it: below the 4 MiB that clients take in a message. */
export const maxInlinedBytes = 3 << 20;

export interface ActionCacheOptions {
  readonly instance: string;
  readonly refs: RefStore;
  readonly blobs: BlobStore;
  readonly closure: Closure;
  readonly clock: Clock;
}

/** What of an action's digest names its result: clients over HTTP do not tell the size. */
export type ActionKey = Pick<Digest, "function" | "hash">;

/** Results of actions by the digest of the action (remote_execution.proto, ActionCache), as encoded ActionResults. */
export class ActionCache {
  private readonly options: ActionCacheOptions;

  constructor(options: ActionCacheOptions) {
    this.options = options;
  }

  /**
   * The result as it was stored, with what `inline` wants as far as there is room; `undefined` where there is none, or not all
   * that it names is there.
   */
  async get(action: ActionKey, inline: Inline): Promise<Uint8Array | undefined> {
    const { refs, blobs, closure } = this.options;
    const ref = await refs.get(this.refName(action));
    if (ref === undefined || !(await closure.complete(ref.roots))) return undefined;
    if (!wantsInline(inline)) return ref.message;
    const result = decode(ActionResultSchema, ref.message);
    await inlineInto(result, inline, action.function, blobs, maxInlinedBytes - ref.message.length);
    return toBinary(ActionResultSchema, result);
  }

  /**
   * Stores a result in place of what was there, and returns what was stored. `encoded` must not change afterwards.
   * `by`: who pushes, in words for people. Errors: `invalid` for a message that is no result, or names what cannot be; `exhausted`.
   */
  async update(action: ActionKey, encoded: Uint8Array, by?: string): Promise<Uint8Array> {
    const ref = this.refOf(action, encoded, this.options.clock());
    await this.options.refs.put([{ ...ref, by }]);
    return ref.message;
  }

  /** The ref that a result is; `stored` in milliseconds since 1970. Errors: `invalid`, as `update` has it. */
  refOf(action: ActionKey, encoded: Uint8Array, stored: number): NewRef {
    const result = decode(ActionResultSchema, encoded);
    const roots = rootsOfResult(result, action.function);
    const message = isDefault(result) ? marked : encoded;
    return { ...this.refName(action), message, roots, stored, expires: undefined };
  }

  private refName({ function: fn, hash }: ActionKey): RefName {
    return { space: "action", instance: this.options.instance, name: `${fn.name}/${hash}` };
  }
}

/** A result of nothing but defaults takes no bytes at all, which some clients read as a miss: it says at least that somebody made it. */
const isDefault = (result: ActionResult): boolean => toBinary(ActionResultSchema, result).length === 0;
const marked = toBinary(ActionResultSchema, create(ActionResultSchema, { executionMetadata: { worker: "unknown" } }));
