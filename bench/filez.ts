import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { ostree } from "../src/base/digest-function.ts";
import { anyHashOf } from "../src/base/hash.ts";
import { fileType, filezHead } from "../src/base/ostree-file.ts";
import { positiveNumber } from "./positive-number.ts";

/**
 * What keeping file objects of OSTree as they are pushed saves, and costs: `node bench/filez.ts DIRECTORY MEGABYTES` deflates the first so many megabytes of files below a
 * directory, and verifies what came of it. Times are of the CPU.
 */
const [root = "/usr/share", megabytes = "400"] = process.argv.slice(2);
const limit = positiveNumber("megabytes", megabytes) * 1e6;
const header = { uid: 0, gid: 0, mode: fileType | 0o644, symlink: "", xattrs: [] };
const sums = { files: 0, plain: 0, filez: 0, deflating: 0, verifying: 0 };

for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || sums.plain >= limit) continue;
  const content = readFileSync(join(entry.parentPath, entry.name));
  const started = cpuSeconds();
  const filez = Buffer.concat([filezHead(header, content.length), deflateRawSync(content)]);
  const deflated = cpuSeconds();
  if ((await anyHashOf(ostree, filez)) === undefined) throw new Error(`${entry.name} does not verify`);
  sums.files++;
  sums.plain += content.length;
  sums.filez += filez.length;
  sums.deflating += deflated - started;
  sums.verifying += cpuSeconds() - deflated;
}

const { files, plain, filez, deflating, verifying } = sums;
const rate = (seconds: number): string => `${Math.round(plain / 1e6 / seconds)} MB/s`;
process.stdout.write(`${files} files of ${Math.round(plain / 1e6)} MB deflate to ${Math.round(filez / 1e6)} MB, `);
process.stdout.write(`at ${rate(deflating)}; verified at ${rate(verifying)} of content\n`);

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
