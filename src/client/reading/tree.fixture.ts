import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../../base/digest.ts";
import { messageOf, putBlob } from "../../cache/tree.fixture.ts";
import { DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobStore } from "../../store/blob-store.ts";

/** A tree for tests: content, and what a name stands for besides. A list of pairs may have a name twice. */
export type Node =
  | string
  | { readonly content: string; readonly executable?: boolean; readonly modified?: number }
  | { readonly link: string }
  | {
      readonly directory: readonly (readonly [string, Node])[] | Readonly<Record<string, Node>>;
      readonly modified?: number;
    }
  | { readonly at: Digest };

/** Stores a tree, with nothing checked or put in order; returns the digest of its root. */
export async function putTree(
  blobs: BlobStore,
  entries: readonly (readonly [string, Node])[] | Readonly<Record<string, Node>>,
  modified?: number,
): Promise<Digest> {
  const directory = create(DirectorySchema, modified === undefined ? {} : { nodeProperties: properties(modified) });
  for (const [name, node] of Array.isArray(entries) ? entries : Object.entries(entries)) {
    if (typeof node === "string" || "content" in node) {
      const { content, executable = false, modified } = typeof node === "string" ? { content: node } : node;
      const digest = messageOf(await putBlob(blobs, content));
      const file = {
        name,
        digest,
        isExecutable: executable,
        ...(modified && { nodeProperties: properties(modified) }),
      };
      directory.files.push(create(DirectorySchema, { files: [file] }).files[0] as never);
    } else if ("link" in node) {
      directory.symlinks.push(
        create(DirectorySchema, { symlinks: [{ name, target: node.link }] }).symlinks[0] as never,
      );
    } else {
      const digest = "at" in node ? node.at : await putTree(blobs, node.directory, node.modified);
      const made = { directories: [{ name, digest: messageOf(digest) }] };
      directory.directories.push(create(DirectorySchema, made).directories[0] as never);
    }
  }
  return putBlob(blobs, toBinary(DirectorySchema, directory));
}

function properties(seconds: number): NonNullable<MessageInitShape<typeof DirectorySchema>["nodeProperties"]> {
  const whole = Math.floor(seconds);
  return { mtime: { seconds: BigInt(whole), nanos: Math.round((seconds - whole) * 1e9) } };
}
