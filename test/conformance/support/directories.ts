import { fromBinary } from "@bufbuild/protobuf";
import type { DigestFunction } from "../../../src/base/digest-function.ts";
import { DirectorySchema, TreeSchema } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { messageBlob, newBlob, type TestBlob } from "./blobs.ts";

export interface DirectoryContent {
  readonly files?: readonly TestBlob[];
  readonly directories?: readonly TestBlob[];
  /** Targets by name. */
  readonly symlinks?: Readonly<Record<string, string>>;
}

/** A Directory message as a blob; names are made up. */
export function directoryOf(content: DirectoryContent, fn?: DigestFunction): TestBlob {
  const { files = [], directories = [], symlinks = {} } = content;
  const name = (prefix: string, i: number) => `${prefix}-${String(i).padStart(5, "0")}`;
  const message = {
    files: files.map(({ digest }, i) => ({ name: name("file", i), digest })),
    directories: directories.map(({ digest }, i) => ({ name: name("directory", i), digest })),
    symlinks: Object.entries(symlinks).map(([link, target]) => ({ name: link, target })),
  };
  return messageBlob(DirectorySchema, message, fn);
}

/** A directory with a file and a directory with a file, none of them uploaded. */
export interface NestedDirectory {
  readonly root: TestBlob;
  readonly child: TestBlob;
  readonly file: TestBlob;
  readonly deepFile: TestBlob;
  /** All of them. */
  readonly blobs: readonly TestBlob[];
  /** The same as a Tree message. */
  readonly tree: TestBlob;
}

export function newNestedDirectory(fn?: DigestFunction): NestedDirectory {
  const [file, deepFile] = [newBlob(100, fn), newBlob(100, fn)];
  const child = directoryOf({ files: [deepFile] }, fn);
  const root = directoryOf({ files: [file], directories: [child] }, fn);
  const [rootMessage, childMessage] = [root, child].map(({ data }) => fromBinary(DirectorySchema, data));
  const children = childMessage === undefined ? [] : [childMessage];
  const tree = messageBlob(TreeSchema, rootMessage === undefined ? { children } : { root: rootMessage, children }, fn);
  return { root, child, file, deepFile, blobs: [root, child, file, deepFile], tree };
}
