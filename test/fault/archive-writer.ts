// Makes one change in an archive repository, and ends by SIGKILL before its Nth step in the file system, or by itself where it has fewer:
// node archive-writer.ts REPOSITORY N. It prints how many steps it was.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const [directory = "", last] = process.argv.slice(2);
let step = 0;
const count = (): void => {
  if (step++ === Number(last)) process.kill(process.pid, "SIGKILL");
};

// Whatever imports these from now on gets the ones that count.
type Operation = (...args: unknown[]) => unknown;
const counted = (target: Record<string, Operation>, name: string): void => {
  const real = target[name] as Operation;
  target[name] = function (this: unknown, ...args: unknown[]) {
    count();
    return real.apply(this, args);
  };
};
const handle = await fs.open(import.meta.filename);
for (const name of ["write", "datasync", "sync"]) counted(Object.getPrototypeOf(handle), name);
await handle.close();
for (const name of ["rename", "mkdir", "rmdir", "rm", "utimes"]) {
  counted(fs as unknown as Record<string, Operation>, name);
}
syncBuiltinESMExports();

const { makeChange } = await import("./archive-change.ts");
await makeChange(join(directory));
process.stdout.write(`${step}\n`);
