import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of a test's own. Disposing removes it with all that is in it. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function newFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "stillage-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
