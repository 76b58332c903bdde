import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { maxConfigBytes, parseRepositoryConfig } from "../ostree/archive/config-file.ts";

/** Whether a directory is an OSTree repository of mode `archive`. Errors: `unsupported` for one of another mode, `invalid` where its config cannot be read. */
export function isArchiveRepository(directory: string): boolean {
  if (!["config", "objects", "refs"].every((name) => existsSync(join(directory, name)))) return false;
  const config = join(directory, "config");
  try {
    const stats = statSync(config);
    if (!stats.isFile() || stats.size > maxConfigBytes) throw new StillageError("invalid", "its config is none");
    parseRepositoryConfig(readFileSync(config, "utf8"));
    return true;
  } catch (error) {
    const { code, message } =
      error instanceof StillageError ? error : new StillageError("invalid", `its config: ${String(error)}`);
    const remedy = `ostree init --repo=NEW --mode=archive && ostree pull-local --repo=NEW ${directory}`;
    const hint = code === "unsupported" ? { hint: `make one of mode archive of it: ${remedy}` } : {};
    throw new StillageError(code, `the OSTree repository ${directory} cannot be taken over: ${message}`, {
      ...hint,
      cause: error,
    });
  }
}
