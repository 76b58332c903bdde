import { StillageError } from "./errors.ts";
import { ExactInflate, inflateExactly } from "./exact-inflate.ts";
import type { SyncHash } from "./hash.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import { type FilezHead, fileChecksum, isSymlink, parseFilezHead } from "./ostree-file.ts";

/** Plain bytes up to which a file is inflated at once, in a few milliseconds, instead of by a stream, which costs some 0.1 ms to set up. */
export const maxInstantPlain = 1024 * 1024;

/** Bytes that are gathered before a stream is begun: most files have come whole by then. */
const maxGathered = 64 * 1024;

/**
 * The hash of a `.filez` that is at hand, of which the plain content has at most `limit` bytes: it is made in memory, at once.
 * Errors: `invalid` for bytes that are no file object; `exhausted` where there would be more than `limit`.
 */
export function ostreeHashOf(bytes: Uint8Array, limit: number = maxInstantPlain): string {
  const head = wholeHead(bytes);
  if (head.size > limit) {
    throw new StillageError("exhausted", `a file object of ${head.size} bytes is too large to be inflated at once`);
  }
  const hash = fileChecksum(head.header);
  hash.update(plainContent(head, bytes));
  return hash.digest("hex");
}

/** The plain content of a `.filez` that is at hand, made at once. Errors: `invalid`. */
export function plainContent({ header, size, headLength }: FilezHead, bytes: Uint8Array): Uint8Array {
  const deflated = bytes.subarray(headLength);
  if (!isSymlink(header)) return inflateExactly(deflated, size);
  if (deflated.length > 0) throw new StillageError("invalid", contentOfLink);
  return deflated;
}

const contentOfLink = "a symbolic link has no content";

/** The head of bytes that are all there are. Errors: `invalid`. */
export function wholeHead(bytes: Uint8Array): FilezHead {
  const head = parseFilezHead(bytes);
  if (head === undefined) throw new StillageError("invalid", "no OSTree file object: it ends within its header");
  return head;
}

/**
 * The hash of a `.filez` that comes in pieces. It takes some 150 KB of memory whatever the size of the file, and more while a large header
 * comes; inflating is done beside the event loop.
 */
export class RunningOstreeHash {
  private gathered: Uint8Array[] = [];
  private length = 0;
  private spillAt = maxGathered;
  private hash: SyncHash | undefined;
  private inflate: ExactInflate | undefined;

  /** Takes the next bytes, which may change only when what is returned has settled. One call at a time. Errors: `invalid`. */
  update(bytes: Uint8Array): MaybePromise<void> {
    if (this.inflate !== undefined) return this.inflate.write(bytes);
    this.gathered.push(Uint8Array.from(bytes));
    this.length += bytes.length;
    return this.length < this.spillAt ? undefined : this.spill();
  }

  /** The hash of all that was given, in lower-case hex. Called once, at the end. Errors: `invalid`. */
  async digest(): Promise<string> {
    try {
      if (this.inflate === undefined) {
        const bytes = this.joined();
        const { size } = wholeHead(bytes);
        if (size <= maxInstantPlain) return ostreeHashOf(bytes);
        await this.spill();
      }
      await this.inflate?.end();
      return this.hash?.digest("hex") ?? "";
    } finally {
      this.close();
    }
  }

  /** Frees what is held, where the hash is not asked for. */
  close(): void {
    this.gathered = [];
    this.inflate?.close();
  }

  /** Gives what was gathered to a stream, if the header is there. */
  private spill(): MaybePromise<void> {
    const bytes = this.joined();
    const head = parseFilezHead(bytes);
    if (head === undefined) {
      this.spillAt = 2 * this.length; // joined anew for every piece, a large header would be copied again and again
      return undefined;
    }
    if (isSymlink(head.header) && bytes.length > head.headLength) throw new StillageError("invalid", contentOfLink);
    const hash = fileChecksum(head.header);
    this.hash = hash;
    this.inflate = new ExactInflate(head.size, (plain) => hash.update(plain));
    this.gathered = [];
    return this.inflate.write(bytes.subarray(head.headLength));
  }

  private joined(): Uint8Array {
    const bytes = this.gathered.length === 1 ? (this.gathered[0] as Uint8Array) : Buffer.concat(this.gathered);
    this.gathered = [bytes];
    return bytes;
  }
}
