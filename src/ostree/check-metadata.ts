import { decodeCommit } from "./commit.ts";
import { decodeDirMeta } from "./dirmeta.ts";
import { decodeDirTree } from "./dirtree.ts";
import type { ObjectType } from "./object-name.ts";

/** Errors: `invalid` for what is not of a type's form. */
export function checkMetadata(type: Exclude<ObjectType, "file">, bytes: Uint8Array): void {
  if (type === "commit") decodeCommit(bytes);
  else if (type === "dirtree") decodeDirTree(bytes);
  else decodeDirMeta(bytes);
}
