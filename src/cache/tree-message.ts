import { setImmediate as breath } from "node:timers/promises";
import type { Digest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { ProtobufReader, tagOf, wireBytes } from "../base/protobuf.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { readChildren } from "./directory-children.ts";
import { checkNames } from "./directory-names.ts";
import { type DigestSink, presenceBatch } from "./presence.ts";
import { readMessage } from "./read-message.ts";

/** A Tree with some 250,000 files. It is read whole; beyond it, a result is not served. */
export const maxTreeBytes = 32 << 20;

/** Others have their turn after this much of a message: a few milliseconds of work. */
const breathBytes = 1 << 20;

const rootTag = tagOf(1, wireBytes);
const childrenTag = tagOf(2, wireBytes);

/**
 * Puts every file of an encoded Tree into `sink` (remote_execution.proto: Tree.root = 1, .children = 2). Its directories stand in the
 * message itself and need not be there as blobs. False where the Tree is missing or too large. Errors: `invalid` for what is none,
 * or has names that files cannot have.
 */
export async function walkTree(blobs: BlobReader, digest: Digest, sink: DigestSink): Promise<boolean> {
  if (digest.size > maxTreeBytes) return false;
  const bytes = await readMessage(blobs, digest);
  if (bytes === undefined) return false;
  const files = sink.list(digest.function);
  const directories = new DigestList(digest.function);
  const tree = new ProtobufReader(bytes);
  let breathAt = breathBytes;
  for (let tag = tree.field(); tag !== 0; tag = tree.field()) {
    if (tag !== rootTag && tag !== childrenTag) continue;
    checkNames(bytes, tree.start, tree.end);
    readChildren(bytes, tree.start, tree.end, { files, directories });
    directories.clear();
    if (files.length >= presenceBatch && !(await sink.settled())) return false;
    if (tree.end < breathAt) continue;
    await breath();
    breathAt = tree.end + breathBytes;
  }
  return true;
}
