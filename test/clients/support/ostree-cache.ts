import { randomBytes } from "node:crypto";
import { systemClock } from "../../../src/base/clock.ts";
import { digestOf, parseDigest } from "../../../src/base/digest.ts";
import { ostree, sha256 } from "../../../src/base/digest-function.ts";
import { silentLog } from "../../../src/base/log.ts";
import { type FileHeader, filezHead } from "../../../src/base/ostree-file.ts";
import { commitRef } from "../../../src/cache/commit.fixture.ts";
import { openCache } from "../../../src/cache/open-cache.ts";
import { canonicalDirectory, canonicalFile, canonicalLink } from "../../../src/ostree/canonical-mode.ts";
import { encodeCommit } from "../../../src/ostree/commit.ts";
import { encodeDirMeta } from "../../../src/ostree/dirmeta.ts";
import { encodeDirTree, type TreeDirectory, type TreeFile } from "../../../src/ostree/dirtree.ts";
import { checksumOfFile } from "../../../src/ostree/filez.ts";
import { type ObjectType, objectPath } from "../../../src/ostree/object-name.ts";

/** A commit as a program has made it: its objects are those of an archive repository. */
export interface MadeCommit {
  readonly checksum: string;
  readonly size: number;
  readonly timestamp: number;
  /** Their bytes by the paths in a repository. */
  readonly objects: ReadonlyMap<
    string,
    { readonly checksum: string; readonly type: ObjectType; readonly bytes: Uint8Array }
  >;
}

export interface TreeShape {
  readonly directories: number;
  readonly filesInEach: number;
  /** Bytes of a file, of which a tenth is chance. */
  readonly fileBytes: number;
  readonly timestamp?: number;
}

/** Makes a commit with one level of directories, of which no file is as another; and a link and a larger file in the root. */
export function makeCommit({ directories, filesInEach, fileBytes, timestamp = 1_500_000_000 }: TreeShape): MadeCommit {
  const objects = new Map<string, { checksum: string; type: ObjectType; bytes: Uint8Array }>();
  const add = (type: ObjectType, checksum: string, bytes: Uint8Array): string => {
    objects.set(objectPath(checksum, type), { checksum, type, bytes });
    return checksum;
  };
  const hashed = (type: ObjectType, bytes: Uint8Array): string => add(type, digestOf(sha256, bytes).hash, bytes);
  const file = (name: string, bytes: number): TreeFile => {
    const content = Buffer.concat([randomBytes(Math.ceil(bytes / 10)), Buffer.alloc(bytes, "text ")]).subarray(
      0,
      bytes,
    );
    const header = canonicalFile(0o644);
    return { name, checksum: add("file", checksumOfFile(header, content), storedFilez(header, content)) };
  };
  const meta = hashed("dirmeta", encodeDirMeta(canonicalDirectory(0o755)));
  const inRoot: TreeDirectory[] = [];
  for (let i = 0; i < directories; i++) {
    const files = Array.from({ length: filesInEach }, (_, k) => file(`file+${k}`, fileBytes));
    inRoot.push({ name: `directory ${i}`, tree: hashed("dirtree", encodeDirTree({ files, directories: [] })), meta });
  }
  const link = canonicalLink("large");
  const linked = add("file", checksumOfFile(link, new Uint8Array(0)), storedFilez(link, undefined));
  const files = [{ name: "link", checksum: linked }, file("large", 3_000_000)];
  const tree = hashed("dirtree", encodeDirTree({ files, directories: inRoot }));
  const commit = encodeCommit({
    metadata: [],
    parent: undefined,
    subject: "",
    body: "",
    timestamp,
    tree,
    treeMeta: meta,
  });
  return { checksum: hashed("commit", commit), size: commit.length, timestamp, objects };
}

/** A `.filez` whose deflate stream has the content as it is (RFC 1951, section 3.2.4): ten thousand of them are made in no time. */
function storedFilez(header: FileHeader, content: Uint8Array | undefined): Uint8Array {
  const pieces: Uint8Array[] = [filezHead(header, content?.length ?? 0)];
  for (let at = 0; content !== undefined && at < content.length; at += 0xffff) {
    const piece = content.subarray(at, at + 0xffff);
    const head = Buffer.alloc(5);
    head[0] = at + piece.length === content.length ? 1 : 0;
    head.writeUInt16LE(piece.length, 1);
    head.writeUInt16LE(0xffff ^ piece.length, 3);
    pieces.push(head, piece);
  }
  return Buffer.concat(pieces);
}

/** Puts commits with their refs into the store of a server that does not run. */
export async function fillCache(
  folder: string,
  refs: Readonly<Record<string, MadeCommit>>,
  instance = "",
): Promise<void> {
  const cache = await openCache(folder, { quota: undefined, durability: "off", clock: systemClock, log: silentLog });
  try {
    const tenant = cache.store.tenant(instance);
    for (const { objects } of new Set(Object.values(refs))) {
      const puts = [...objects.values()].map(({ checksum, type, bytes }) =>
        tenant.put(parseDigest(checksum, bytes.length, type === "file" ? ostree : sha256), bytes),
      );
      await Promise.all(puts);
    }
    const stored = systemClock();
    await cache.refs.put(
      Object.entries(refs).map(([name, commit]) => ({ ...commitRef(name, commit), instance, stored })),
    );
  } finally {
    await cache.close();
  }
}
