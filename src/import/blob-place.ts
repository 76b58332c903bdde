import { join } from "node:path";
import { type DigestFunction, functionOfHexLength, ostree, sha256 } from "../base/digest-function.ts";
import { checkMetadata } from "../ostree/check-metadata.ts";
import { objectPath, parseObjectPath } from "../ostree/object-name.ts";

/** A blob that an old server has. */
export interface OldBlob {
  readonly function: DigestFunction;
  readonly hash: string;
}

/** A file that may hold a blob. */
export interface BlobFile {
  readonly path: string;
  /** What its bytes have to be besides those of the hash: it is read whole for that, and has at most `maxMetadataBytes`. Errors: `invalid`. */
  readonly check?: (bytes: Uint8Array) => void;
}

/** What a file is that lies where blobs are: `foreign` is under a hash of an unknown function, `beside` is a part of a name. */
export type PlacedFile = OldBlob | "foreign" | "beside" | "other";

/** Where an old server has blobs: a folder with a shelf for the first two digits of the hash. */
export interface BlobPlace {
  readonly folder: string;
  /** Whether blobs that no name needs are taken as well. */
  readonly takesAll: boolean;
  filesOf(blob: OldBlob): readonly BlobFile[];
  read(shelf: string, name: string): PlacedFile;
}

/** `cas/objects/AA/REST`, by the hash in hex, which tells its function. Clients know some of them by their digest alone. */
export function casPlace(directory: string): BlobPlace {
  const folder = join(directory, "cas", "objects");
  return {
    folder,
    takesAll: true,
    filesOf: ({ function: fn, hash }) =>
      fn === ostree ? [] : [{ path: join(folder, hash.slice(0, 2), hash.slice(2)) }],
    read: (shelf, name) => {
      if (!/^[0-9a-f]{30,}$/.test(name)) return "other";
      const hash = shelf + name;
      const fn = functionOfHexLength(hash.length);
      return fn === undefined ? "foreign" : { function: fn, hash };
    },
  };
}

/** In the order of how many there are. */
const metadataTypes = ["dirtree", "dirmeta", "commit"] as const;

/** `objects/AA/REST.TYPE` of an OSTree repository of mode `archive`. Nobody can ask for what no ref leads to. */
export function archivePlace(directory: string): BlobPlace {
  const metadata = metadataTypes.map((type) => [type, (bytes: Uint8Array) => checkMetadata(type, bytes)] as const);
  return {
    folder: join(directory, "objects"),
    takesAll: false,
    filesOf: ({ function: fn, hash }) => {
      if (fn === ostree) return [{ path: join(directory, objectPath(hash, "file")) }];
      if (fn !== sha256) return [];
      return metadata.map(([type, check]) => ({ path: join(directory, objectPath(hash, type)), check }));
    },
    read: (shelf, name) => {
      const object = parseObjectPath(`objects/${shelf}/${name}`);
      if (object !== undefined) return { function: object.type === "file" ? ostree : sha256, hash: object.checksum };
      return /^[0-9a-f]{62}\.(commitmeta|sig|sizes2|tombstone-commit)$/.test(name) ? "beside" : "other";
    },
  };
}
