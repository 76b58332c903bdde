import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { storedFunctions } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { StoreCensus, TenantCensus } from "../blob-census.ts";
import { useResolution } from "../use-resolution.ts";
import { packedRoom, recordBytes } from "./blob-room.ts";
import { inFile } from "./digest-index.ts";
import { FilePaths } from "./file-paths.ts";
import { ReadOnlyIndex } from "./read-only-index.ts";
import { ReadOnlyTenant } from "./read-only-store.ts";
import { ShelfCensus } from "./shelf-census.ts";
import { onDisk } from "./space.ts";
import { directoryOfTenant, tenantOfDirectory } from "./tenant-name.ts";

/** What a store takes on the disk without its refs; `dead` bytes are in packs, of blobs that are gone. */
export interface DiskUse {
  bytes: number;
  dead: number;
}

/**
 * All that a store has, to be read while its server runs, or does not: `store` as `checkReadable` gives it. Last uses are those that are written down,
 * which a server does every ten minutes, or more often; nothing can be removed. `leaseMs` is the server's lease.
 */
export function readCensus(store: string, leaseMs: number): { census: StoreCensus; use: DiskUse } {
  const folder = join(store, "tenants");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const use = { bytes: 0, dead: 0 };
  const tenants = names.flatMap((name) => {
    const instance = tenantOfDirectory(name);
    return instance === undefined ? [] : [readTenant(store, instance, use)];
  });
  return { census: { tenants, resolution: useResolution(leaseMs / 1000), unsaved: 0, close: () => {} }, use };
}

function readTenant(store: string, instance: string, use: DiskUse): TenantCensus {
  const folder = join(store, "tenants", directoryOfTenant(instance));
  const shelves = storedFunctions.flatMap((fn) => {
    const shelf = join(folder, fn.name);
    if (!existsSync(shelf)) return [];
    const [paths, packs] = [new FilePaths(shelf), join(shelf, "packs")];
    const found = new ReadOnlyIndex(packs, paths, fn);
    addUse(found, [paths.journal, ...filesIn(packs)], use);
    return [new ShelfCensus(found.index, { remove: () => Promise.reject(readOnly()) })];
  });
  return { instance, shelves, reader: new ReadOnlyTenant(store, instance) };
}

/** Packs and index files take what they are long; what of that no blob takes is dead. */
function addUse({ index }: ReadOnlyIndex, files: readonly string[], use: DiskUse): void {
  const { function: fn } = index;
  const length = files.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  let [taken, inFiles] = [0, 0];
  for (let entry = 0; entry < index.top; entry++) {
    if (!index.has(entry)) continue;
    const size = index.size(entry);
    taken += index.place(entry) === inFile ? recordBytes(fn) : packedRoom(fn, size);
    if (index.place(entry) === inFile) inFiles += onDisk(size);
  }
  use.bytes += length + inFiles;
  use.dead += Math.max(0, length - taken);
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

function readOnly(): StillageError {
  return new StillageError("failed-precondition", "the store is open for reading alone");
}
