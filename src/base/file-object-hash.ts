import { StillageError } from "./errors.ts";
import type { RunningHash } from "./hash.ts";
import { isPromise, type MaybePromise } from "./maybe-promise.ts";
import { parseFilezHead } from "./ostree-file.ts";
import { maxInstantPlain, ostreeHashOf, RunningOstreeHash } from "./ostree-hash.ts";

// The hash of OSTree's file objects as that of the other functions: bytes that are none have no hash.

/**
 * What is hashed at once has to cost no more than its own bytes tell, because a start reads whatever a crash has left in packs: content that is not much
 * longer than what it is deflated to, but for a short file, and a header so short that few others can lie in it, which would all share its content.
 */
const maxRatio = 16;
const shortPlain = 64 * 1024;
const maxHeadLength = 4096;

/** Whether `hashAtOnce` tells what a `.filez` is. What is none has no hash, which is told at once. */
export function isHashedAtOnce(bytes: Uint8Array): boolean {
  const head = orNone(() => parseFilezHead(bytes));
  if (head === undefined) return true;
  const { size, headLength } = head;
  return size <= Math.min(maxInstantPlain, maxRatio * bytes.length + shortPlain) && headLength <= maxHeadLength;
}

/** The hash of a `.filez`, in lower-case hex; `undefined` for what is none, or not `isHashedAtOnce`. */
export function hashAtOnce(bytes: Uint8Array): string | undefined {
  return isHashedAtOnce(bytes) ? orNone(() => ostreeHashOf(bytes)) : undefined;
}

/** The hash of a `.filez` that comes in pieces. */
export class RunningFileObjectHash implements RunningHash {
  private hash: RunningOstreeHash | undefined = new RunningOstreeHash();

  update(bytes: Uint8Array): MaybePromise<void> {
    const { hash } = this;
    const taken = hash && orNone(() => hash.update(bytes), this.fail);
    return isPromise(taken) ? taken.catch((error) => orNone(() => rethrow(error), this.fail)) : undefined;
  }

  async digest(): Promise<string | undefined> {
    const { hash } = this;
    try {
      return await hash?.digest();
    } catch (error) {
      return orNone(() => rethrow(error), this.fail);
    }
  }

  close(): void {
    this.hash?.close();
  }

  private readonly fail = (): void => {
    this.close();
    this.hash = undefined;
  };
}

function rethrow(error: unknown): never {
  throw error;
}

/** What something gives; `undefined`, once `failed` was told, where it fails because of its bytes. */
function orNone<T>(give: () => T, failed: () => void = () => {}): T | undefined {
  try {
    return give();
  } catch (error) {
    if (!(error instanceof StillageError) || (error.code !== "invalid" && error.code !== "exhausted")) throw error;
    failed();
    return undefined;
  }
}
