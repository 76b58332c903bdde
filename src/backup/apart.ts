import { realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { StillageError } from "../base/errors.ts";

/** Throws `invalid` where one of two directories, which need not be there, is the other or lies in it, whatever links lead there. */
export function checkApart(store: string, backup: string): void {
  const [one, other] = [realPath(store), realPath(backup)];
  const inside = (from: string, to: string): boolean => relative(from, to).split(sep)[0] !== "..";
  if (!inside(one, other) && !inside(other, one)) return;
  throw new StillageError("invalid", `the backup cannot be in the store itself, or the other way round: ${backup}`);
}

/** Where a path leads to; what is not there yet is taken by its name. */
export function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(whole) === whole) throw error;
    return join(realPath(dirname(whole)), basename(whole));
  }
}
