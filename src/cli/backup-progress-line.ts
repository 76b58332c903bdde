import type { BackupProgress } from "../backup/backup-progress.ts";
import { showLine } from "./progress-line.ts";
import { readable } from "./readable.ts";

/** How far a backup or a restore is, in a line. */
export function backupLine({ phase, share, bytes, bytesToCopy, verified }: BackupProgress): string {
  if (phase === "linking") return "looking at what is there";
  if (phase === "copying refs") return `copying the refs: ${Math.floor(100 * share)} %`;
  const part = (done: number, all: number): string =>
    `${readable(done)} of ${readable(all)} (${all === 0 ? 100 : Math.min(100, Math.floor((100 * done) / all))} %)`;
  return phase === "copying" ? `copying: ${part(bytes, bytesToCopy)}` : `verifying: ${part(verified, bytesToCopy)}`;
}

/** Does some work with a line on the terminal that says how far it is. */
export async function withBackupLine<T>(progress: BackupProgress, work: () => Promise<T>): Promise<T> {
  using _line = showLine(() => backupLine(progress), process.stderr);
  return await work();
}
