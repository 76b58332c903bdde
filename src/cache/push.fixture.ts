import { MemoryStore } from "../store/memory/memory-store.ts";
import { putCommit } from "./commit.fixture.ts";

/** What a push has of a commit. */
export interface PushedCommit {
  readonly commit: string;
  /** Bytes by the names of members, `CHECKSUM.TYPE`. */
  readonly members: Readonly<Record<string, Uint8Array>>;
}

/** A commit of one directory with these files, as members of an archive. */
export async function commitMembers(
  contents: Readonly<Record<string, string>>,
  timestamp = 1000,
): Promise<PushedCommit> {
  const put = new Map<string, Uint8Array>();
  const store = new MemoryStore();
  const watched = Object.assign(Object.create(store) as MemoryStore, {
    put: async (digest: Parameters<MemoryStore["put"]>[0], bytes: Uint8Array): Promise<void> => {
      put.set(digest.hash, Uint8Array.from(bytes));
      await store.put(digest, bytes);
    },
  });
  const { checksum, tree, meta, files } = await putCommit(watched, contents, timestamp);
  const names = [
    [checksum, "commit"],
    [tree, "dirtree"],
    [meta, "dirmeta"],
    ...files.map((file) => [file.checksum, "filez"]),
  ] as const;
  const members = names.map(([hash, type]) => [`${hash}.${type}`, put.get(hash as string) as Uint8Array] as const);
  return { commit: checksum, members: Object.fromEntries(members) };
}

/** A tar archive of files, as the oldest programs write one. */
export function tarOf(members: Readonly<Record<string, Uint8Array>>): Buffer {
  const blocks = Object.entries(members).flatMap(([name, bytes]) => [
    headerOf(name, bytes.length),
    bytes,
    Buffer.alloc((512 - (bytes.length % 512)) % 512),
  ]);
  const length = blocks.reduce((sum, block) => sum + block.length, 1024);
  return Buffer.concat([...blocks, Buffer.alloc(1024 + ((10_240 - (length % 10_240)) % 10_240))]);
}

function headerOf(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        0", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
