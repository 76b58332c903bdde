import { existsSync, readFileSync } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { closeFile, openFile, syncData, syncDirectory, writeAll } from "../store/disk/file-io.ts";

/** Says of a directory that it is a backup, and whether it is whole. Its name is no store's, so that none is taken for one. */
export const manifestFile = "backup.json";
const newManifest = "backup.json.new";

const knownVersion = 1;

/** A pack as it was copied. */
export interface CopiedPack {
  /** What tells the file in the store apart from a later one of the same name. */
  readonly source: string;
  /** Its first bytes, so many, are in the backup and on the disk, and stay in the store as they are: what follows them there may be cut off after a crash. */
  readonly length: number;
}

export interface Manifest {
  readonly version: number;
  /** False while what is in the backup does not fit together. */
  readonly complete: boolean;
  /** The directory that it is of. */
  readonly store: string;
  /** When the refs were read, ISO 8601. */
  readonly time: string;
  readonly refs: number;
  /** Large blobs. */
  readonly files: number;
  /** Of packs and large blobs. */
  readonly bytes: number;
  readonly packs: Readonly<Record<string, CopiedPack>>;
}

/** What may lie in a directory that becomes a backup. */
const harmless = new Set(["lost+found", "lock", newManifest]);

/** The manifest in a directory; `undefined` where there is none and nothing else either. Errors: `failed-precondition` for anything else. */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  const path = join(directory, manifestFile);
  if (!existsSync(path)) {
    const foreign = existsSync(directory) && (await readdir(directory)).find((name) => !harmless.has(name));
    if (!foreign) return undefined;
    throw new StillageError(
      "failed-precondition",
      `${directory} is not empty and no backup: it has ${JSON.stringify(foreign)}`,
    );
  }
  const manifest = parse(readFileSync(path, "utf8"));
  if (manifest?.version === knownVersion) return manifest;
  throw new StillageError(
    "failed-precondition",
    `${path} is ${manifest === undefined ? "not what a backup has" : `of format ${manifest.version}`}; this program knows format ${knownVersion}`,
  );
}

/** Writes the manifest; a crash leaves the old one or the new one. */
export async function writeManifest(directory: string, manifest: Omit<Manifest, "version">): Promise<void> {
  const path = join(directory, newManifest);
  const fd = await openFile(path, "w");
  try {
    await writeAll(fd, Buffer.from(`${JSON.stringify({ version: knownVersion, ...manifest }, undefined, 1)}\n`), 0);
    await syncData(fd);
  } finally {
    await closeFile(fd);
  }
  await rename(path, join(directory, manifestFile));
  await syncDirectory(directory);
}

function parse(text: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isManifest(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { version, complete, store, packs } = value as Partial<Manifest>;
  if (typeof version !== "number" || typeof complete !== "boolean" || typeof packs !== "object" || packs === null)
    return false;
  return version !== knownVersion || (typeof store === "string" && Object.values(packs).every(isCopiedPack));
}

function isCopiedPack(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { source, length } = value as Partial<CopiedPack>;
  return typeof source === "string" && Number.isSafeInteger(length) && (length as number) >= 0;
}
