// Fills a cache, and ends by SIGKILL before its Nth step in the file system, or by itself where it has fewer: node local-cache-writer.ts DIRECTORY N.
// It prints how many steps it was.
import fs, { promises } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [directory = "", last] = process.argv.slice(2);
let step = 0;

type Operation = (...args: unknown[]) => unknown;
const counted = (target: object, ...names: readonly string[]): void => {
  const operations = target as Record<string, Operation>;
  for (const name of names) {
    const real = operations[name] as Operation;
    operations[name] = (...args: unknown[]) => {
      if (step++ === Number(last)) process.kill(process.pid, "SIGKILL");
      return real(...args);
    };
  }
};
counted(fs, "openSync", "writeSync", "linkSync", "unlinkSync", "renameSync", "mkdirSync", "write", "open", "fdatasync");
counted(promises, "rename", "unlink", "copyFile");
syncBuiltinESMExports();

const { makeChange } = await import("./local-cache-change.ts");
step = 0; // loading is none of it
await makeChange(directory);
process.stdout.write(`${step}\n`);
