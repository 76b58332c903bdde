import { constants, createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import type { ObjectSource } from "./object-source.ts";

const pieceBytes = 256 * 1024;

/** An archive repository in a directory. */
export function directorySource(directory: string): ObjectSource {
  return {
    async get(path, maxBytes) {
      const file = join(directory, path);
      const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
        if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
        throw fromFileSystem(error, `cannot read ${file}`);
      });
      if (handle === undefined) return undefined;
      const stats = await handle.stat();
      if (stats.isFile() && stats.size <= maxBytes) {
        return createReadStream(file, { fd: handle, highWaterMark: pieceBytes });
      }
      await handle.close();
      if (!stats.isFile()) return undefined;
      throw new StillageError("invalid", `${file} is larger than ${maxBytes} bytes`);
    },
  };
}
