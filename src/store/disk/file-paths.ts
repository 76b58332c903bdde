import { join } from "node:path";
import type { BlobFile } from "./blob-files.ts";

/** Where the files of one function lie. */
export class FilePaths {
  readonly journal: string;
  readonly incoming: string;
  readonly files: string;

  constructor(directory: string) {
    this.journal = join(directory, "files.idx");
    this.incoming = join(directory, "incoming");
    this.files = join(directory, "files");
  }

  /** While it is being written or removed. */
  arriving(file: BlobFile): string {
    return join(this.incoming, nameOf(file));
  }

  /** While it is a blob. */
  settled(file: BlobFile): string {
    return join(this.shelf(file), nameOf(file));
  }

  /** The directory of `settled`: one for each first byte of a hash, so that none gets too large. */
  shelf({ digest }: BlobFile): string {
    return join(this.files, digest.hash.slice(0, 2));
  }
}

/** `<hash>.<serial number>` */
function nameOf({ digest, serial }: BlobFile): string {
  return `${digest.hash}.${serial}`;
}

/** What `nameOf` put into a name; `undefined` where it is none. */
export function parseName(name: string, hexLength: number): { hash: string; serial: number } | undefined {
  const match = /^([0-9a-f]+)\.(\d{1,10})$/.exec(name);
  const [, hash, serial] = match ?? [];
  return hash?.length === hexLength ? { hash, serial: Number(serial) } : undefined;
}
