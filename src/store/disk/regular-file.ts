import { constants, fstat, type Stats } from "node:fs";
import { promisify } from "node:util";
import { StillageError } from "../../base/errors.ts";
import { closeFile, openFile } from "./file-io.ts";

const statOf = promisify(fstat) as (fd: number) => Promise<Stats>;

/** Without the second one, opening a pipe waits for somebody to write to it, and holds a thread for as long. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** What systems say of links, sockets and devices that are opened so. */
const others = new Set(["ELOOP", "ENXIO", "ENODEV"]);

/** Opens a file for reading where anything may lie, made by anybody. Errors: `invalid` for what is not a file; those of the file system. */
export async function openRegular(path: string): Promise<{ readonly fd: number; readonly stats: Stats }> {
  const fd = await openFile(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw others.has(error.code ?? "") ? notAFile() : error;
  });
  try {
    const stats = await statOf(fd);
    if (!stats.isFile()) throw notAFile();
    return { fd, stats };
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}

function notAFile(): StillageError {
  return new StillageError("invalid", "it is not a file");
}
