// Makes one change in an archive repository, and ends by SIGKILL before its Nth step in the file system, or by itself where it has fewer:
// node archive-writer.ts REPOSITORY N. It prints how many steps it was.
import fs, { promises } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { makeChange } from "./archive-change.ts";

const [directory = "", last] = process.argv.slice(2);
let step = 0;
const count = (): void => {
  if (step++ === Number(last)) process.kill(process.pid, "SIGKILL");
};

type Operation = (...args: unknown[]) => unknown;
const counted = (target: object, ...names: readonly string[]): void => {
  const operations = target as Record<string, Operation>;
  for (const name of names) {
    const real = operations[name] as Operation;
    operations[name] = function (this: unknown, ...args: unknown[]) {
      count();
      return real.apply(this, args);
    };
  }
};
const handle = await promises.open(import.meta.filename);
counted(Object.getPrototypeOf(handle), "write", "datasync", "sync");
await handle.close();
counted(promises, "rename", "mkdir", "rmdir", "rm", "utimes");
counted(fs, "openSync", "writeSync", "fdatasync");
// From here on, whoever has imported these has the ones that count.
syncBuiltinESMExports();

await makeChange(directory);
process.stdout.write(`${step}\n`);
