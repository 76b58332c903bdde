import { setImmediate } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Digest } from "../../base/digest.ts";
import { isAscii } from "../../base/is-ascii.ts";
import { badArchive } from "../../base/tar/archive-error.ts";
import { maxDirectoryBytes } from "../../cache/directory-walk.ts";
import {
  DigestSchema,
  type Directory,
  DirectorySchema,
} from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";

export interface FileNode {
  readonly kind: "file";
  readonly digest: Digest;
  readonly executable: boolean;
}

export interface LinkNode {
  readonly kind: "symlink";
  /** In UTF-8. */
  readonly target: Uint8Array;
}

export type DirectoryEntry = FileNode | LinkNode | { readonly kind: "directory"; readonly digest: Digest };

/** Entries between which others have their turn: encoding so many takes some milliseconds. */
const batch = 2000;

const utf8 = new TextDecoder();

/** Makes the messages of one tree's directories. */
export class DirectoryEncoder {
  private encoded = 0;

  /**
   * A Directory in the canonical form (remote_execution.proto, "Directory"): entries by kind and sorted by name, fields in the order of
   * their numbers, nothing that is not about content. So equal trees have equal digests, wherever they came from.
   * Errors: `failed-precondition` for one that is too long.
   */
  async encode(entries: ReadonlyMap<string, DirectoryEntry>): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const unsorted of namesByKind(entries)) {
      const names = await this.sort(unsorted);
      // A message may come in parts that follow one another, as its repeated fields do (Protocol Buffers, "Encoding").
      for (let at = 0; at < names.length; at += batch) {
        const part = create(DirectorySchema);
        for (const name of names.slice(at, at + batch)) append(part, name, entries.get(name) as DirectoryEntry);
        const bytes = toBinary(DirectorySchema, part);
        length += bytes.length;
        if (length > maxDirectoryBytes) throw badArchive(`a directory has too many entries, ${entries.size}`);
        parts.push(bytes);
        await this.giveWay(Math.min(batch, names.length - at));
      }
    }
    return Buffer.concat(parts, length);
  }

  /** Names in the order of their UTF-8, which differs from that of JavaScript's strings beyond U+FFFF. */
  async sort(names: readonly string[]): Promise<string[]> {
    let runs: string[][] = [];
    for (let at = 0; at < names.length; at += batch) {
      runs.push(
        names
          .slice(at, at + batch)
          .map(charPerByte)
          .sort(),
      );
      await this.giveWay(batch);
    }
    while (runs.length > 1) {
      const merged: string[][] = [];
      for (let i = 0; i < runs.length; i += 2) {
        const both = merge(runs[i] as string[], runs[i + 1] ?? []);
        merged.push(both);
        await this.giveWay(both.length);
      }
      runs = merged;
    }
    return (runs[0] ?? []).map(fromCharPerByte);
  }

  private async giveWay(count: number): Promise<void> {
    this.encoded += count;
    if (this.encoded < batch) return;
    this.encoded = 0;
    await setImmediate();
  }
}

function append({ files, directories, symlinks }: Directory, name: string, entry: DirectoryEntry): void {
  if (entry.kind === "symlink") {
    const target = utf8.decode(entry.target);
    symlinks.push({ $typeName: "build.bazel.remote.execution.v2.SymlinkNode", name, target });
    return;
  }
  const digest = create(DigestSchema, { hash: entry.digest.hash, sizeBytes: BigInt(entry.digest.size) });
  if (entry.kind === "directory") {
    directories.push({ $typeName: "build.bazel.remote.execution.v2.DirectoryNode", name, digest });
  } else {
    const isExecutable = entry.executable;
    files.push({ $typeName: "build.bazel.remote.execution.v2.FileNode", name, digest, isExecutable });
  }
}

/** In the order of the fields. */
function namesByKind(entries: ReadonlyMap<string, DirectoryEntry>): string[][] {
  const names: Record<DirectoryEntry["kind"], string[]> = { file: [], directory: [], symlink: [] };
  for (const [name, { kind }] of entries) names[kind].push(name);
  return [names.file, names.directory, names.symlink];
}

/** With a character for each byte of UTF-8, the order of strings is that of the bytes. */
const charPerByte = (text: string): string => (isAscii(text) ? text : Buffer.from(text).toString("latin1"));
const fromCharPerByte = (text: string): string => (isAscii(text) ? text : Buffer.from(text, "latin1").toString());

/** Two sorted lists as one. */
function merge(a: readonly string[], b: readonly string[]): string[] {
  const merged: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    merged.push(((a[i] as string) <= (b[j] as string) ? a[i++] : b[j++]) as string);
  }
  return merged.concat(a.slice(i), b.slice(j));
}
