import { type Checksum, objectPath } from "../object-name.ts";

/** What `ostree init` makes, besides the config. */
export const folders = ["objects", "refs/heads", "refs/mirrors", "refs/remotes", "state", "tmp/cache", "extensions"];

/** Where the detached metadata of a commit is. */
export const detachedPath = (commit: Checksum): string => `${objectPath(commit, "commit")}meta`;

/** The mark of a commit without all that it needs. */
export const partialPath = (commit: Checksum): string => `state/${commit}.commitpartial`;

/** What is left of a commit that was pruned, where the repository is told to leave that. */
export const tombstonePath = (commit: Checksum): string =>
  objectPath(commit, "commit").replace(/commit$/, "tombstone-commit");

/** How the names of our own directories in `tmp` begin. */
export const stagingPrefix = "stillage-";
