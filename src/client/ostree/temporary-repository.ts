import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromFileSystem } from "../../base/errors.ts";
import { ArchiveRepository } from "../../ostree/archive/archive-repository.ts";

/** A repository for what only passes through, in a directory for temporary files (TMPDIR). Disposing removes it; a kill leaves it. */
export interface TemporaryRepository extends AsyncDisposable {
  readonly repository: ArchiveRepository;
}

/** Errors: `exhausted` and others of the file system. */
export async function temporaryRepository(): Promise<TemporaryRepository> {
  const folder = await mkdtemp(join(tmpdir(), "stillage-commit-")).catch((error: unknown) => {
    throw fromFileSystem(error, `no directory can be made in ${tmpdir()}`);
  });
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    return { repository: await ArchiveRepository.init(join(folder, "repository")), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
