import { StillageError } from "../../base/errors.ts";
import { decodeCommit } from "../commit.ts";
import { decodeDirTree } from "../dirtree.ts";
import type { Checksum, ObjectName } from "../object-name.ts";
import { reachTree } from "./reachable.ts";
import type { RepositoryChange } from "./repository-change.ts";
import { ObjectSet } from "./stored-objects.ts";

/**
 * Looks whether all that commits need is in a change or its repository. What a change found to be there while it was beside others, a prune may have removed since.
 * Errors: `aborted`.
 */
export async function checkStillWhole(change: RepositoryChange, commits: Iterable<Checksum>): Promise<void> {
  const gone = ({ checksum, type }: ObjectName): never => {
    throw new StillageError("aborted", `the ${type} ${checksum} was removed from the repository meanwhile`, {
      hint: "try again",
    });
  };
  const dirTree = async (checksum: Checksum) => {
    const bytes = await change.readMetadata(checksum, "dirtree");
    return bytes && decodeDirTree(bytes);
  };
  const reached = new ObjectSet();
  for (const checksum of commits) {
    const bytes = await change.readMetadata(checksum, "commit");
    if (bytes === undefined) return gone({ checksum, type: "commit" });
    const isThere = ({ checksum: each, type }: ObjectName): boolean => change.has(each, type);
    await reachTree({ dirTree }, decodeCommit(bytes), reached, gone, isThere);
  }
}
