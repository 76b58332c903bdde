import { mayBeName } from "../../artifact/directory-entries.ts";
import { type Digest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes } from "../../base/protobuf.ts";

/** Directory.files = 1, .directories = 2, .symlinks = 3; in all kinds of nodes, name = 1 (remote_execution.proto). */
const nodeTags: ReadonlySet<number> = new Set([1, 2, 3].map((field) => tagOf(field, wireBytes)));
const nameTag = tagOf(1, wireBytes);

/**
 * Checks the names in an encoded Directory before it goes where programs make files of them, which need not look at them: each is a name that a file can have, and no two are
 * alike. Errors: `corrupt`; `invalid` for what is no Directory.
 */
export function checkNames(digest: Digest, bytes: Uint8Array): void {
  const memory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const names = new Set<string>();
  const reader = new ProtobufReader(bytes);
  for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
    if (!nodeTags.has(tag)) continue;
    const name = nameIn(memory, reader.start, reader.end);
    if (!mayBeName(name)) {
      throw hostile(digest, "has an entry with a name that no file can have");
    }
    if (names.has(name)) throw hostile(digest, "has two entries of one name");
    names.add(name);
  }
}

/** The bytes of a name as a text of as many characters. The last one counts where there are several. */
function nameIn(memory: Buffer, start: number, end: number): string {
  let name = "";
  const node = new ProtobufReader(memory, start, end);
  for (let tag = node.field(); tag !== 0; tag = node.field()) {
    if (tag === nameTag) name = memory.toString("latin1", node.start, node.end);
  }
  return name;
}

function hostile(digest: Digest, why: string): StillageError {
  return new StillageError("corrupt", `the directory ${showDigest(digest)} ${why}`, {
    hint: "nothing of it was written; whoever pushed it made it wrong",
  });
}
