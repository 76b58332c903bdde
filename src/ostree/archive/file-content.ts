import { createReadStream } from "node:fs";
import { fromFileSystem, StillageError } from "../../base/errors.ts";

const pieceBytes = 256 * 1024;

/** The content of a file, which is open only while it is read: nothing has to be closed where it is not. Errors: `not-found`, and others of the file system. */
export async function* fileContent(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: pieceBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new StillageError("not-found", `${path} is gone`, { cause: error });
    }
    throw fromFileSystem(error, `cannot read ${path}`);
  }
}
