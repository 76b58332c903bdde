// Makes a backup, or restores one, and stops at its Nth step until it is killed: node backup-runner.ts backup|restore FROM TO N
import { BackupProgress } from "../../src/backup/backup-progress.ts";
import { backupStore } from "../../src/backup/backup-store.ts";
import { restoreStore } from "../../src/backup/restore-store.ts";

const [what, from = "", to = "", last] = process.argv.slice(2);
let step = 0;
const reached = (name: string = "file copied"): Promise<void> | undefined => {
  if (step++ < Number(last)) return undefined;
  process.stdout.write(`${name}\n`);
  setInterval(() => {}, 1000);
  return new Promise(() => {});
};
const shared = { signal: new AbortController().signal, progress: new BackupProgress(), reached };
if (what === "backup") {
  await backupStore({ store: from, target: to, bytesPerSecond: Number.POSITIVE_INFINITY, ...shared });
} else await restoreStore({ backup: from, store: to, quick: false, ...shared });
