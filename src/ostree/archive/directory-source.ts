import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../../base/errors.ts";
import { fileContent } from "./file-content.ts";
import type { ObjectSource } from "./object-source.ts";

/** An archive repository in a directory. */
export function directorySource(directory: string): Required<ObjectSource> {
  return {
    async get(path, maxBytes) {
      const file = join(directory, path);
      const size = await sizeOfFile(file);
      if (size === undefined) return undefined;
      if (size > maxBytes) throw new StillageError("invalid", `${file} is larger than ${maxBytes} bytes`);
      return fileContent(file);
    },
    size: (path) => sizeOfFile(join(directory, path)),
  };
}

async function sizeOfFile(file: string): Promise<number | undefined> {
  const stats = await stat(file).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw fromFileSystem(error, `cannot read ${file}`);
  });
  return stats?.isFile() ? stats.size : undefined;
}
