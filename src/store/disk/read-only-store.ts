import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Digest } from "../../base/digest.ts";
import type { DigestFunction } from "../../base/digest-function.ts";
import type { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import type { BatchRead, Blob, BlobReader } from "../blob-store.ts";
import { checkReadableByUser } from "./directory-access.ts";
import { checkStamp, stampFile } from "./format-stamp.ts";
import { ReadOnlyShelf } from "./read-only-shelf.ts";
import { directoryOfTenant } from "./tenant-name.ts";

/**
 * What a store's directory has, to be read while its server runs, or does not. Nothing is written, not even when a blob was used.
 * Errors: `failed-precondition` for what is no store, or of another format.
 */
export function checkReadable(dir: string): string {
  const directory = resolve(dir);
  checkReadableByUser(directory);
  if (!existsSync(join(directory, stampFile))) {
    throw new StillageError("failed-precondition", `${directory} is not a store`, {
      hint: "name the directory that the server was started with",
    });
  }
  checkStamp(directory);
  return directory;
}

/** Whether a store, as `checkReadable` gives it, has a tenant of this name. */
export function hasTenant(store: string, instance: string): boolean {
  return existsSync(join(store, "tenants", directoryOfTenant(instance)));
}

/** The blobs of one tenant of a store, as they are when they are first asked for. */
export class ReadOnlyTenant implements BlobReader {
  private readonly directory: string;
  private readonly shelves = new Map<DigestFunction, ReadOnlyShelf>();

  constructor(store: string, instance: string) {
    this.directory = join(store, "tenants", directoryOfTenant(instance));
  }

  missing(digests: DigestList): number[] {
    return this.shelf(digests.function).missing(digests);
  }

  sizeOf(fn: DigestFunction, hash: string): number | undefined {
    return this.shelf(fn).sizeOf(fn, hash);
  }

  sizesOf(hashes: DigestList): Float64Array {
    return this.shelf(hashes.function).sizesOf(hashes);
  }

  open(digest: Digest): Blob | undefined {
    return this.shelf(digest.function).open(digest);
  }

  readBatch(digests: DigestList): BatchRead {
    return this.shelf(digests.function).readBatch(digests);
  }

  private shelf(fn: DigestFunction): ReadOnlyShelf {
    let shelf = this.shelves.get(fn);
    if (shelf === undefined) {
      shelf = new ReadOnlyShelf(join(this.directory, fn.name), fn);
      this.shelves.set(fn, shelf);
    }
    return shelf;
  }
}
