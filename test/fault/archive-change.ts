import { ArchiveRepository } from "../../src/ostree/archive/archive-repository.ts";
import { commitTree } from "../../src/ostree/archive/commit-tree.ts";
import type { RepositoryChange } from "../../src/ostree/archive/repository-change.ts";
import type { DirectoryEntry } from "../../src/ostree/archive/tree-entry.ts";
import { encodeCommit } from "../../src/ostree/commit.ts";
import { encodeDetached } from "../../src/ostree/detached.ts";
import type { Checksum } from "../../src/ostree/object-name.ts";

/** A directory with a file, a larger file, and a directory with a link, all of which the number is in. */
function treeOf(number: number): DirectoryEntry {
  const file = (name: string, bytes: Buffer) =>
    ({ kind: "file", name, mode: 0o644, size: bytes.length, open: () => bytes }) as const;
  const inside = [{ kind: "symlink", name: "link", target: `target ${number}` }] as const;
  return {
    kind: "directory",
    name: "",
    mode: 0o755,
    entries: () => [
      file("small", Buffer.from(`${number}`)),
      file("same", Buffer.from("in each")),
      file("large", Buffer.alloc(40_000, `number ${number}, `)),
      { kind: "directory", name: "folder", mode: 0o755, entries: () => inside },
    ],
  };
}

async function commitNumber(change: RepositoryChange, number: number): Promise<Checksum> {
  const { tree, treeMeta } = await commitTree(change, treeOf(number), { canonical: true });
  const commit = { metadata: [], parent: undefined, subject: `${number}`, body: "", timestamp: number, tree, treeMeta };
  const checksum = await change.putMetadata("commit", encodeCommit(commit));
  change.setDetached(checksum, encodeDetached([["note", { type: "s", value: `number ${number}` }]]));
  return checksum;
}

const clock = () => 1_700_000_000_000;

/** The refs before the change, by the number of the tree to which each leads. */
export const refsBefore = { "dir/below": 1, gone: 1, line: 1 };
/** And after it. */
export const refsAfterwards = { dir: 2, fresh: 2, line: 2 };

/** Makes a repository as it is before the change. */
export async function makeRepository(directory: string): Promise<void> {
  const repository = await ArchiveRepository.init(directory);
  await using change = await repository.begin();
  const commit = await commitNumber(change, 1);
  for (const name of Object.keys(refsBefore)) change.setRef(name, commit);
  await change.publish({ clock, signSummary });
}

/** Moves a ref, makes two, one of them where a directory has to go, and removes two. */
export async function makeChange(directory: string): Promise<void> {
  const repository = await ArchiveRepository.open(directory);
  await using change = await repository.begin();
  const commit = await commitNumber(change, 2);
  for (const name of Object.keys(refsBefore)) change.setRef(name, undefined);
  for (const name of Object.keys(refsAfterwards)) change.setRef(name, commit);
  await change.publish({ clock, signSummary });
}

/** Not a signature, but what tells which summary it belongs to. */
async function signSummary(summary: Uint8Array): Promise<Uint8Array> {
  return encodeDetached([["bytes", { type: "t", value: BigInt(summary.length) }]]);
}
