import { ostree } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { openFileObject } from "../cache/file-object.ts";
import type { OpenFilez } from "../ostree/filez.ts";
import type { Blob, BlobReader } from "../store/blob-store.ts";
import type { LogFile } from "./artifact-content.ts";

/** A text that is open. It is read from its beginning on, each read beginning where the one before ended. */
export interface OpenText extends Pick<Blob, "read" | "close"> {
  /** In bytes. */
  readonly size: number;
}

/** Opens a log, which the caller closes; `undefined` where it is not there. Errors: `corrupt` for a file object that is none. */
export async function openText(blobs: BlobReader, { digest, size }: LogFile): Promise<OpenText | undefined> {
  if (digest.function === ostree) {
    const file = await openFileObject(blobs, digest);
    return file && new InflatedText(file);
  }
  const blob = await blobs.open(digest);
  return blob && { size, read: (buffer, position) => blob.read(buffer, position), close: () => blob.close() };
}

/** The content of a file object, inflated as it is read. */
class InflatedText implements OpenText {
  readonly size: number;
  private readonly file: OpenFilez;
  private at = 0;
  /** What was inflated and not read yet. */
  private rest: Uint8Array = new Uint8Array();

  constructor(file: OpenFilez) {
    this.size = file.size;
    this.file = file;
  }

  async read(buffer: Uint8Array, position: number): Promise<void> {
    if (position !== this.at) throw new Error(`a text is read in order: at ${this.at}, not at ${position}`);
    for (let filled = 0; filled < buffer.length; ) {
      if (this.rest.length === 0) this.rest = await this.next();
      const taken = this.rest.subarray(0, buffer.length - filled);
      buffer.set(taken, filled);
      this.rest = this.rest.subarray(taken.length);
      filled += taken.length;
      this.at += taken.length;
    }
  }

  close(): void {
    void this.file.close().catch(() => {}); // all that could fail is reading, which nobody does any more
  }

  private async next(): Promise<Uint8Array> {
    try {
      const { done, value } = await this.file.content.next();
      if (!done) return value;
    } catch (cause) {
      if (!(cause instanceof StillageError) || cause.code !== "invalid") throw cause;
      throw new StillageError("corrupt", `a stored file object cannot be inflated: ${cause.message}`, { cause });
    }
    throw new StillageError("corrupt", "a stored file object ends too soon");
  }
}
