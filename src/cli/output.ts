import { once } from "node:events";
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
  let gone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    gone = true;
  });
  return {
    forPeople: stream.isTTY === true,
    width: stream.columns || 100,
    write: async (text) => {
      if (!gone && !stream.write(text))
        await Promise.race([once(stream, "drain"), once(stream, "close")]).catch(() => {});
      return !gone;
    },
  };
}

/** Writes bytes, or text, to a stream as it takes them; gives false once nobody reads on. Errors: those of the file system. */
export function writerOf(stream: Writable): (piece: Uint8Array | string) => Promise<boolean> {
  // Without this the process would end where a write fails.
  stream.on("error", () => {});
  return (piece) =>
    new Promise((resolve, reject) => {
      stream.write(piece, (error) => {
        if (error === null || error === undefined) resolve(true);
        else if ((error as NodeJS.ErrnoException).code === "EPIPE") resolve(false);
        else reject(fromFileSystem(error, "writing to standard output"));
      });
    });
}
