import { createHash } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkout } from "./servers.ts";

/** How much of a tree is what: as in an image of a system's `/usr`. */
const shares = { code: 0.45, text: 0.4, dense: 0.15 } as const;

/** Files in a directory, on average. */
const filesInDirectory = 8;

export interface MixedTree {
  readonly files: number;
  readonly bytes: number;
  readonly directories: number;
}

/**
 * Writes a tree of so many files and bytes: machine code (pieces of Node itself), text (pieces of sources of TypeScript), and what has been compressed before. Most files
 * are small, and some large ones have half of the bytes. The same each time on one machine.
 */
export async function writeMixedTree(path: string, count: number, bytes: number): Promise<MixedTree> {
  const random = randomNumbers("tree");
  const pools = { code: await codePool(), text: await textPool(), dense: densePool() };
  const weights = Array.from({ length: count }, () => Math.exp(1.8 * normal(random)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const directories = new Set<string>();
  let written = 0;
  for (const [index, weight] of weights.entries()) {
    const kind = random();
    const pool = kind < shares.code ? pools.code : kind < shares.code + shares.text ? pools.text : pools.dense;
    const size = Math.min(pool.length, Math.round((weight / sum) * bytes));
    const from = Math.floor(random() * (pool.length - size));
    const directory = Math.floor(index / filesInDirectory);
    const file = join(path, `${directory % 7}`, `part-${directory % 40}`, `${directory}`, `file-${index}`);
    if (!directories.has(dirname(file))) await mkdir(dirname(file), { recursive: true });
    directories.add(dirname(file));
    await writeFile(file, pool.subarray(from, from + size));
    if (index % 10 === 0) await chmod(file, 0o755);
    if (index % 50 === 0) await symlink(`file-${index}`, `${file}.link`);
    written += size;
  }
  return { files: count, bytes: written, directories: directories.size };
}

async function codePool(): Promise<Buffer> {
  const file = await open(process.execPath);
  try {
    const pool = Buffer.alloc(64 << 20);
    const { bytesRead } = await file.read(pool, 0, pool.length, 16 << 20);
    return pool.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function textPool(): Promise<Buffer> {
  const folder = join(checkout, "node_modules");
  const pieces: Buffer[] = [];
  let length = 0;
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    if (!/\.(?:[cm]?js|d\.ts|md)$/.test(name) || length > 48 << 20) continue;
    const piece = await readFile(join(folder, name)).catch(() => Buffer.alloc(0));
    pieces.push(piece);
    length += piece.length;
  }
  return Buffer.concat(pieces);
}

function densePool(): Buffer {
  const pool = Buffer.alloc(32 << 20);
  for (let at = 0; at < pool.length; at += 32) createHash("sha256").update(`dense ${at}`).digest().copy(pool, at);
  return pool;
}

/** Numbers from 0 to below 1, the same for the same seed. */
function randomNumbers(seed: string): () => number {
  let state = createHash("sha256").update(seed).digest().readUInt32LE();
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
