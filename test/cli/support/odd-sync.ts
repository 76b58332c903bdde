// To be loaded before a program: what the disk does when it is told to keep what was written, by ODD_SYNC: `full`, it has no room; `hung`, it never answers.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

fs.fdatasync = ((_: number, done: (error: Error | null) => void): void => {
  if (process.env.ODD_SYNC !== "hung") done(Object.assign(new Error("no room"), { code: "ENOSPC" }));
}) as typeof fs.fdatasync;
syncBuiltinESMExports();
