import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BstClient, createBst } from "../test/clients/support/bst.ts";
import type { Project } from "../test/clients/support/project.ts";

/** What is moved: artifacts by their names, all in the cache of one machine. */
export interface ClientLoad {
  readonly id: "small" | "large" | "many";
  readonly title: string;
  readonly artifacts: readonly string[];
}

export interface ClientLoads {
  readonly project: Project;
  /** Has them all. */
  readonly machine: BstClient;
  readonly loads: readonly ClientLoad[];
}

const filesOfFolder = 100;
const chunkBytes = 16 << 20;

/** Builds, with the real `bst`, an artifact of so many small files, one of a single large file, and many of a few files each. */
export async function buildLoads(
  folder: string,
  version: string,
  { files, megabytes, elements }: { readonly files: number; readonly megabytes: number; readonly elements: number },
): Promise<ClientLoads> {
  const project: Project = { folder: join(folder, "project"), upstream: join(folder, "none") };
  await mkdir(join(project.folder, "elements"), { recursive: true });
  await writeFile(join(project.folder, "project.conf"), "name: bench\nmin-version: '2.0'\nelement-path: elements\n");
  const element = (name: string): Promise<void> =>
    writeFile(
      join(project.folder, "elements", `${name}.bst`),
      `kind: import\nsources:\n- kind: local\n  path: files/${name}\n`,
    );
  await element("small");
  for (let i = 0; i < files; i++) {
    const shelf = join(project.folder, "files/small", `shelf${Math.floor(i / filesOfFolder)}`);
    if (i % filesOfFolder === 0) await mkdir(shelf, { recursive: true });
    // From some bytes to 2 kB.
    await writeFile(join(shelf, `file${i}.txt`), `file ${i}\n`.repeat(1 + ((i * 37) % 200)));
  }
  await element("large");
  await writeLarge(join(project.folder, "files/large"), megabytes * 1e6);
  const many = Array.from({ length: elements }, (_, i) => `many${i}`);
  for (const name of many) {
    await element(name);
    const own = join(project.folder, "files", name);
    await mkdir(own, { recursive: true });
    for (let i = 0; i < 5; i++) await writeFile(join(own, `${i}.txt`), `${name} has ${i}\n`.repeat(20));
  }
  await mkdir(join(folder, "builder"));
  const machine = await createBst(version, join(folder, "builder"));
  await machine.ok(
    project,
    "build",
    "--ignore-project-source-remotes",
    "small.bst",
    "large.bst",
    ...many.map((name) => `${name}.bst`),
  );
  const refs = join(machine.cache, "artifacts/refs/bench");
  const named = async (name: string): Promise<string> => `bench/${name}/${(await readdir(join(refs, name)))[0]}`;
  return {
    project,
    machine,
    loads: [
      { id: "small", title: `${files} small files`, artifacts: [await named("small")] },
      { id: "large", title: `a file of ${megabytes} MB`, artifacts: [await named("large")] },
      { id: "many", title: `${elements} small artifacts`, artifacts: await Promise.all(many.map(named)) },
    ],
  };
}

async function writeLarge(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await using file = await open(join(folder, "large.bin"), "w");
  for (let at = 0; at < bytes; at += chunkBytes) await file.write(randomBytes(Math.min(chunkBytes, bytes - at)));
}
