import { statSync } from "node:fs";

/** Bytes of a database's file, its journal and what readers share. */
export function bytesOf(file: string): number {
  const sizes = [file, `${file}-wal`, `${file}-shm`].map(
    (path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
