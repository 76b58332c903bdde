import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { fileContent } from "./file-content.ts";
import type { ObjectSource } from "./object-source.ts";

/** An archive repository in a directory. */
export function directorySource(directory: string): ObjectSource {
  return {
    async get(path, maxBytes) {
      const file = join(directory, path);
      const stats = await stat(file).catch((error: unknown) => {
        if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
        throw fromFileSystem(error, `cannot read ${file}`);
      });
      if (!stats?.isFile()) return undefined;
      if (stats.size > maxBytes) throw new StillageError("invalid", `${file} is larger than ${maxBytes} bytes`);
      return fileContent(file);
    },
  };
}
