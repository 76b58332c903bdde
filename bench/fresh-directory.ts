import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** An empty folder under `base`; disposing of it removes it with all that is in it. */
export async function freshDirectory(base: string): Promise<AsyncDisposable & { readonly path: string }> {
  await mkdir(base, { recursive: true });
  const path = await mkdtemp(join(base, "run-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
