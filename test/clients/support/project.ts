import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { isBst1 } from "./bst.ts";
import { runOk } from "./program.ts";
import { projectElements } from "./project-elements.ts";

/** Bytes of the one big file: above every batch limit (4 MiB), so that it goes by ByteStream and in several messages. */
export const bigFileBytes = 5 * 1024 * 1024 + 77;

/** Elements that `all.bst` consists of, itself among them. */
export const elementCount = 11;

/** A BuildStream project in a folder. The same content in another folder has the same cache keys. */
export interface Project {
  readonly folder: string;
  /** What its elements download from. Removing it takes the upstream away. */
  readonly upstream: string;
}

/**
 * Writes a project into the empty folder `folder` that has what real projects have: an imported base system (Debian's
 * static busybox), local and downloaded sources, builds in the sandbox, dependencies of each kind, a compose, a stack,
 * odd names and odd files. `broken.bst` fails to build and nothing depends on it. `version` is BuildStream's.
 */
export async function writeProject(folder: string, version: string): Promise<Project> {
  const project = { folder: join(folder, "project"), upstream: join(folder, "upstream") };
  await mkdir(project.upstream, { recursive: true });
  const refs = await writeUpstream(project.upstream, join(folder, "staging"));
  await writeFiles(join(project.folder, "files"));
  await put(project.folder, "project.conf", stringify(projectConfiguration(project.upstream, version)));
  for (const [path, element] of Object.entries(projectElements(refs))) {
    await put(project.folder, join("elements", path), stringify(element, { aliasDuplicateObjects: false }));
  }
  return project;
}

function projectConfiguration(upstream: string, version: string): object {
  return {
    name: "harbour",
    ...(isBst1(version) ? { "format-version": 17 } : { "min-version": "2.0" }),
    "element-path": "elements",
    aliases: { upstream: `file://${upstream}/` },
  };
}

/** SHA-256 of each downloaded source, by file name. */
export type SourceRefs = Readonly<Record<"rootfs.tar" | "crates.tar" | "big.bin", string>>;

async function writeUpstream(upstream: string, staging: string): Promise<SourceRefs> {
  const commands = ["sh", "cat", "chmod", "cp", "dd", "echo", "false", "find", "head", "ln", "ls", "mkdir", "mv", "rm"];
  const rootfs = join(staging, "rootfs");
  for (const empty of ["tmp", "dev", "proc", "sys"]) await mkdir(join(rootfs, empty), { recursive: true });
  await mkdir(join(rootfs, "bin"));
  await copyFile("/bin/busybox", join(rootfs, "bin/busybox"));
  for (const command of [...commands, "sed", "sha256sum", "sort", "true"]) {
    await symlink("busybox", join(rootfs, "bin", command));
  }
  const crates = join(staging, "crates");
  for (let i = 0; i < 60; i++) await put(crates, `shelf${i % 6}/crate${i}.txt`, `crate ${i}\n`.repeat(i));
  await writeFile(join(upstream, "big.bin"), patternBytes(bigFileBytes));
  return {
    "rootfs.tar": await pack(rootfs, join(upstream, "rootfs.tar")),
    "crates.tar": await pack(crates, join(upstream, "crates.tar")),
    "big.bin": await sha256(join(upstream, "big.bin")),
  };
}

/** Bytes that do not repeat within a blob, the same on every machine. */
function patternBytes(size: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) blocks.push(createHash("sha256").update(`block ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}

/** The same bytes for the same content: the cache keys hang on them. */
async function pack(folder: string, file: string): Promise<string> {
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  await runOk("tar", ["--sort=name", "--mtime=@1000000000", ...owner, "-C", folder, "-cf", file, "."]);
  return sha256(file);
}

async function sha256(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

async function writeFiles(files: string): Promise<void> {
  const tree = join(files, "tree");
  await put(tree, "usr/share/harbour/deep/er/and/deeper/leaf.txt", "a leaf\n");
  await put(tree, "usr/share/harbour/twin.txt", "a leaf\n");
  await put(tree, "usr/share/harbour/empty.txt", "");
  await put(tree, "usr/share/harbour/grüße 船.txt", "names are UTF-8\n");
  await put(tree, "usr/share/harbour/run.sh", "#!/bin/sh\necho ran\n");
  await chmod(join(tree, "usr/share/harbour/run.sh"), 0o755);
  await mkdir(join(tree, "usr/share/harbour/hollow"));
  await symlink("deep/er", join(tree, "usr/share/harbour/shortcut"));
  await symlink("../nowhere", join(tree, "usr/share/harbour/dangling"));
  await put(files, "lib/crane.txt", "lifts 40 t\n");
  await put(files, "app/berth.txt", "berth 7\n");
  await put(files, "broken/cargo.txt", "fragile\n");
}

async function put(folder: string, path: string, content: string): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
