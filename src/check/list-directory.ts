import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CheckContext, found } from "./check-context.ts";

/**
 * The names in a directory, sorted; none where there is no such directory, or something else, which is noted. `undefined` where it cannot be read, which is noted, too:
 * what should be in it may well be.
 */
export function list(context: CheckContext, directory: string): string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      found(context, "unreadable", directory, `it cannot be read: ${code}`);
      return undefined;
    }
    if (code === "ENOTDIR" && existsSync(directory)) found(context, "foreign", directory, "is not a directory");
    return [];
  }
}

/** The bytes of the files below a directory, as far as they can be known. */
export function bytesBelow(directory: string, counts: (name: string) => boolean): number {
  let sum = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) sum += bytesBelow(path, counts);
      else if (entry.isFile() && counts(entry.name)) sum += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
  return sum;
}
