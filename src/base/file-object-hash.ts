import { StillageError } from "./errors.ts";
import type { RunningHash } from "./hash.ts";
import { isPromise, type MaybePromise } from "./maybe-promise.ts";
import { parseFilezHead } from "./ostree-file.ts";
import { ostreeHashOf, RunningOstreeHash } from "./ostree-hash.ts";

// The hash of OSTree's file objects as that of the other functions: bytes that are none have no hash.

/** The hash of a `.filez`, in lower-case hex; `undefined` for what is none, or says that it has more than `maxPlain` bytes of content. */
export function tryOstreeHash(bytes: Uint8Array, maxPlain: number): string | undefined {
  return orNone(() => ostreeHashOf(bytes, maxPlain));
}

/** The bytes of content that a `.filez` says it has; `undefined` for what is none. */
export function tryPlainSize(bytes: Uint8Array): number | undefined {
  return orNone(() => parseFilezHead(bytes)?.size);
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
