import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ObjectName } from "../object-name.ts";
import type { ArchiveRepository } from "./archive-repository.ts";
import { syncDirectory } from "./durable-file.ts";
import type { Ref } from "./ref-files.ts";

/**
 * Takes objects that a change has just put out again, as the only writer, while the refs are as they were before it: nothing can lead to them then. Else they stay, for
 * pruning to decide. Commits go first: a crash in between leaves objects that nobody needs. Errors: those of `begin` and the file system.
 */
export async function withdrawObjects(
  repository: ArchiveRepository,
  objects: readonly ObjectName[],
  refs: ReadonlyMap<string, Ref>,
): Promise<void> {
  await using _change = await repository.begin();
  // With what was decided before it failed, which is finished by now.
  if (!isDeepStrictEqual(await repository.refs(), refs)) return;
  const paths = (commits: boolean): string[] =>
    objects
      .filter(({ type }) => (type === "commit") === commits)
      .map(({ checksum, type }) => repository.pathOf(checksum, type));
  const first = paths(true);
  for (const path of first) await rm(path, { force: true });
  for (const folder of new Set(first.map(dirname))) await syncDirectory(folder);
  for (const path of paths(false)) await rm(path, { force: true });
}
