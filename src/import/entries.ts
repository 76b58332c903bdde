import { type Dirent, readdirSync } from "node:fs";
import { StillageError } from "../base/errors.ts";

/** What lies in a folder; nothing where there is none, as a server that still runs may have removed it. Errors: `failed-precondition` for one that cannot be read. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new StillageError("failed-precondition", `cannot read ${folder}: ${code}`, { cause: error });
  }
}
