import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArchiveRepository } from "../../../src/ostree/archive/archive-repository.ts";
import { commitTree } from "../../../src/ostree/archive/commit-tree.ts";
import { directoryTree } from "../../../src/ostree/archive/directory-tree.ts";
import { encodeCommit } from "../../../src/ostree/commit.ts";
import type { Checksum } from "../../../src/ostree/object-name.ts";
import { runOk } from "./program.ts";

/** Runs the real program on a repository: `ostree(repo, "fsck")`. */
export function ostree(repository: string, command: string, ...words: readonly string[]): Promise<string> {
  return runOk("ostree", [command, `--repo=${repository}`, ...words]);
}

/** Whether the real program finds nothing wrong with a repository. */
export async function realFsck(repository: string): Promise<void> {
  await ostree(repository, "fsck", "--quiet");
}

/** The checksum of the root that `ostree show` prints. */
export async function contentOf(repository: string, ref: string): Promise<string> {
  return /^ContentChecksum: +([0-9a-f]{64})$/m.exec(await ostree(repository, "show", ref))?.[1] ?? "none";
}

export interface OwnCommit {
  readonly commit: Checksum;
  readonly contentChecksum: Checksum;
}

/** Commits a directory with our own code, and moves a ref there. */
export async function commitDirectory(
  repository: ArchiveRepository,
  ref: string,
  directory: string,
  { canonical = true, subject = "subject", timestamp = 1_577_934_245, sign }: OwnCommitOptions = {},
): Promise<OwnCommit> {
  await using change = await repository.begin();
  const parent = await repository.ref(ref);
  const { tree, treeMeta, contentChecksum } = await commitTree(change, directoryTree(directory), { canonical });
  const bytes = encodeCommit({ metadata: [], parent, subject, body: "", timestamp, tree, treeMeta });
  const commit = await change.putMetadata("commit", bytes);
  change.setRef(ref, commit);
  await change.publish(sign === undefined ? {} : { signSummary: sign });
  return { commit, contentChecksum };
}

interface OwnCommitOptions {
  readonly canonical?: boolean;
  readonly subject?: string;
  readonly timestamp?: number;
  readonly sign?: (summary: Uint8Array) => Promise<Uint8Array>;
}

/** Names whose order differs by bytes, by UTF-16 and by locale; modes of all sorts; links to nowhere; empty files and directories; many entries. */
export async function oddTree(path: string): Promise<void> {
  await mkdir(join(path, "empty"), { recursive: true });
  await mkdir(join(path, "wide"));
  await mkdir(join(path, "deep/er/and/er"), { recursive: true });
  const names = [
    "a",
    "B",
    "a-b",
    "a.b",
    "Z",
    "é",
    "ÿ",
    "\uffee",
    "\u{1f600}",
    "ｚ",
    "~",
    " ",
    "a b",
    "\n",
    '"',
    "\\",
    "x".repeat(255),
  ];
  for (const [index, name] of names.entries()) await writeFile(join(path, name), `${index}\n`);
  const modes = [0o600, 0o666, 0o777, 0o4755, 0o1644, 0o700, 0o444];
  for (const mode of modes) {
    const file = join(path, "deep/er", `mode-${mode.toString(8)}`);
    await writeFile(file, `mode ${mode}`);
    await chmod(file, mode);
  }
  await chmod(join(path, "deep/er/and"), 0o2775);
  await writeFile(join(path, "deep/er/and/er/nothing"), "");
  await symlink("nowhere/at/all", join(path, "dangling"));
  await symlink("/etc/passwd", join(path, "deep/absolute"));
  await symlink("é", join(path, "link"));
  for (let i = 0; i < 2000; i++) await writeFile(join(path, "wide", `${i}`), "the same");
  await writeFile(join(path, "large"), Buffer.alloc(5_000_000, "so much of the same, and then some "));
  await writeFile(join(path, "dense"), Buffer.from(pseudoRandom(1_300_000)));
}

/** The same bytes every time, in which deflate finds nothing. */
function pseudoRandom(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
