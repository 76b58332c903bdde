import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh folder of a suite, with everything in it removed at the end. */
export interface Workspace extends AsyncDisposable {
  readonly path: string;
  /** A new empty folder; the name is only for the reader of a log. */
  folder(name: string): Promise<string>;
}

export async function createWorkspace(): Promise<Workspace> {
  const path = await mkdtemp(join(tmpdir(), "stillage-clients-"));
  let made = 0;
  return {
    path,
    async folder(name) {
      made += 1;
      const folder = join(path, `${made}-${name}`);
      await mkdir(folder);
      return folder;
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}
