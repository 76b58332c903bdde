import type { Writable } from "node:stream";
import { fromFileSystem } from "../base/errors.ts";

/** Where a command writes: lines of cells, aligned for people or with tabs between for programs. */
export interface Output {
  /** Whether somebody reads it on a terminal. */
  readonly forPeople: boolean;
  /** Characters of a line. */
  readonly width: number;
  /** False once nobody reads on: there is no need to go on then. */
  write(text: string): Promise<boolean>;
}

/** The output of this process. A reader that ends early, as `head` does, or a terminal that is closed, is no failure. */
export function standardOutput(stream: Writable & { isTTY?: boolean; columns?: number } = process.stdout): Output {
  return { forPeople: stream.isTTY === true, width: stream.columns || 100, write: writerOf(stream) };
}

/**
 * Writes bytes, or text, to a stream, in the order of the calls; gives false once nobody reads on. After a failure nothing more is written, so that what is there has no hole, and each call fails with it. Errors:
 * those of the file system.
 */
export function writerOf(stream: Writable): (piece: Uint8Array | string) => Promise<boolean> {
  // Without this the process would end where a write fails.
  stream.on("error", () => {});
  let failure: NodeJS.ErrnoException | undefined;
  return (piece) =>
    new Promise((resolve, reject) => {
      const ended = (error: Error | null | undefined): void => {
        failure ??= error ?? undefined;
        if (failure === undefined) resolve(true);
        else if (failure.code === "EPIPE" || failure.code === "EIO") resolve(false);
        else reject(fromFileSystem(failure, "writing to standard output"));
      };
      if (failure === undefined) stream.write(piece, ended);
      else ended(failure);
    });
}
