import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { type Digest, digestOf } from "../base/digest.ts";
import { type DigestFunction, sha256 } from "../base/digest-function.ts";
import type { PushedCommit } from "../cache/push.fixture.ts";
import { messageOf } from "../cache/tree.fixture.ts";
import {
  FetchBlobResponseSchema,
  FetchDirectoryResponseSchema,
} from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { DigestSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { newConfig } from "../ostree/archive/config-file.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";

/** A cache key as BuildStream makes them. */
export const keyOf = (text: string): string => digestOf(sha256, Buffer.from(text)).hash;

/**
 * A folder to which content is added as the old servers write it: casserver.py and cascache.py of BuildStream 1.6.8, casserver.py of 1.93.4,
 * buildbox-casd 1.4.25. It is a store besides, so that trees are put there as anywhere. Disposing removes it.
 */
export class OldFolder extends MemoryStore implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "stillage-old-"));

  override async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    await super.put(digest, bytes);
    this.write(this.blobPath(digest), bytes);
  }

  blobPath({ hash }: Pick<Digest, "hash">): string {
    return `cas/objects/${hash.slice(0, 2)}/${hash.slice(2)}`;
  }

  /** A file of any content; `time` is when it was last used, in seconds since 1970. */
  write(path: string, bytes: Uint8Array | string, time?: number): void {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    if (time !== undefined) utimesSync(file, time, time);
  }

  drop(digest: Digest): void {
    rmSync(join(this.path, this.blobPath(digest)));
  }

  /** `name` is `PROJECT/ELEMENT`. */
  reference(name: string, root: Digest, time?: number): void {
    const digest = toBinary(DigestSchema, messageOf(root));
    this.write(`cas/refs/heads/${name}/${keyOf(name)}`, digest, time);
  }

  asset(response: MessageInitShape<typeof FetchBlobResponseSchema>, time?: number): void {
    this.any("FetchBlobResponse", toBinary(FetchBlobResponseSchema, create(FetchBlobResponseSchema, response)), time);
  }

  directoryAsset(response: MessageInitShape<typeof FetchDirectoryResponseSchema>, time?: number): void {
    const encoded = toBinary(FetchDirectoryResponseSchema, create(FetchDirectoryResponseSchema, response));
    this.any("FetchDirectoryResponse", encoded, time);
  }

  actionResult(action: Digest, encoded: Uint8Array): void {
    this.write(`actioncache/objects/${action.hash.slice(0, 2)}/${action.hash.slice(2)}`, encoded);
  }

  /** A ref of an OSTree repository, and the objects of its commit. */
  ostreeRef(name: string, { commit, members }: PushedCommit, time?: number): void {
    this.write("config", newConfig);
    for (const [member, bytes] of Object.entries(members)) this.write(memberPath(member), bytes);
    this.write(`refs/heads/${name}`, `${commit}\n`, time);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }

  private any(type: string, value: Uint8Array, time?: number): void {
    const typeUrl = `type.googleapis.com/build.bazel.remote.asset.v1.${type}`;
    const bytes = toBinary(AnySchema, create(AnySchema, { typeUrl, value }));
    // The real name is the hash of the request; nobody reads it.
    const { hash } = digestOf(sha256, bytes);
    this.write(`assets/objects/${hash.slice(0, 2)}/${hash.slice(2)}`, bytes, time);
  }
}

/** Where `CHECKSUM.TYPE` is in an OSTree repository. */
export const memberPath = (member: string): string => `objects/${member.slice(0, 2)}/${member.slice(2)}`;

/** Bytes that do not repeat, by a number, and their digest. */
export function numberedBlob(
  number: number,
  size: number,
  fn: DigestFunction = sha256,
): { digest: Digest; bytes: Uint8Array } {
  const bytes = Buffer.alloc(size, `blob ${number},`);
  return { digest: digestOf(fn, bytes), bytes };
}
