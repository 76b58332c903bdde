import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Checksum, checksumOfBytes } from "../object-name.ts";

/** A static delta that somebody has made here: it is served as it is, and goes with the commits that it is about. */
export interface StaticDelta {
  /** Its directory, or the file of an index, as a path in the repository. */
  readonly path: string;
  /** The commits that it is about: one to start with, unless it is from nothing, and the one that it makes. */
  readonly commits: readonly Checksum[];
}

/** All deltas, and the indexes of deltas. */
export async function staticDeltas(repository: string): Promise<StaticDelta[]> {
  const deltas: StaticDelta[] = [];
  for (const top of ["deltas", "delta-indexes"]) {
    for (const head of await names(join(repository, top))) {
      for (const rest of await names(join(repository, top, head))) {
        const commits = `${head}${rest.replace(/\.index$/, "")}`.split("-").map(checksumIn);
        if (commits.every((each) => each !== undefined)) deltas.push({ path: join(top, head, rest), commits });
      }
    }
  }
  return deltas;
}

/** Removes a delta: first what clients ask for before all else. */
export async function removeDelta(repository: string, { path }: StaticDelta): Promise<void> {
  await rm(join(repository, path, "superblock"), { force: true }).catch(() => {}); // an index is a file
  await rm(join(repository, path), { recursive: true, force: true });
}

const names = (path: string): Promise<string[]> => readdir(path).catch(() => []);

/** Checksums in these names are in base 64 with `_` for `/`. */
function checksumIn(text: string): Checksum | undefined {
  if (!/^[A-Za-z0-9+_]{43}$/.test(text)) return undefined;
  return checksumOfBytes(Buffer.from(text.replaceAll("_", "/"), "base64"));
}
