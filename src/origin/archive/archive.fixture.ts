import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, parseDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { readMessage } from "../../cache/read-message.ts";
import { DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { MemoryStore } from "../../store/memory/memory-store.ts";
import { unpack } from "./unpack.ts";

/** Runs a shell script in a folder of its own and gives the file `out` that it leaves. */
export function made(script: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "stillage-archive-"));
  try {
    execFileSync("bash", ["-euc", script], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    return readFileSync(join(folder, "out"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a program in Python writes to the file `out`. */
export function madeByPython(program: string): Buffer {
  return made(`python3 - <<'PYTHON'\n${program}\nPYTHON`);
}

export interface Unpacked {
  readonly root: Digest;
  /** By path: a file's content (with `x ` before it where it is executable), a link as `-> TARGET`, an empty directory as `/`. */
  readonly files: Readonly<Record<string, string>>;
  readonly blobs: MemoryStore;
}

export interface UnpackFor {
  readonly maxBytes?: number;
  readonly directory?: readonly string[];
  readonly quota?: number;
  readonly signal?: AbortSignal;
  /** Told of each read of the archive, before it. */
  readonly reading?: () => void;
}

/** Unpacks an archive into a new store, and reads from that what is there. */
export async function unpacked(archive: Uint8Array, options: UnpackFor = {}): Promise<Unpacked> {
  const { maxBytes = 1 << 30, directory = [], quota, signal = new AbortController().signal, reading } = options;
  const blobs = new MemoryStore(quota === undefined ? {} : { quota });
  const blob = {
    digest: digestOf(sha256, archive),
    read: (buffer: Uint8Array, position: number) => {
      reading?.();
      if (position + buffer.length > archive.length) throw new Error("a read outside the blob");
      buffer.set(archive.subarray(position, position + buffer.length));
    },
    close: () => {},
  };
  const root = await unpack(blob, { blobs, staging: blobs, maxBytes, directory, signal });
  const files: Record<string, string> = {};
  await list(blobs, root, "", files);
  return { root, files, blobs };
}

async function list(blobs: MemoryStore, digest: Digest, path: string, files: Record<string, string>): Promise<void> {
  const message = fromBinary(DirectorySchema, await mustRead(blobs, digest));
  const { files: own, directories, symlinks } = message;
  if (own.length + directories.length + symlinks.length === 0 && path !== "") files[path] = "/";
  for (const each of own) {
    const content = Buffer.from(
      await mustRead(blobs, parseDigest(each.digest?.hash ?? "", each.digest?.sizeBytes ?? 0n)),
    );
    files[`${path}${each.name}`] = `${each.isExecutable ? "x " : ""}${content.length > 200 ? content.length : content}`;
  }
  for (const each of symlinks) files[`${path}${each.name}`] = `-> ${each.target}`;
  for (const each of directories) {
    const below = parseDigest(each.digest?.hash ?? "", each.digest?.sizeBytes ?? 0n);
    await list(blobs, below, `${path}${each.name}/`, files);
  }
}

async function mustRead(blobs: MemoryStore, digest: Digest): Promise<Uint8Array> {
  const bytes = await readMessage(blobs, digest);
  if (bytes === undefined) throw new Error(`${digest.hash} is not there`);
  return bytes;
}
