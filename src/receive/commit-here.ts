import { StillageError } from "../base/errors.ts";
import type { Dictionary, Variant } from "../base/gvariant/value.ts";
import { type Commit, contentChecksum } from "../ostree/commit.ts";
import type { Checksum } from "../ostree/object-name.ts";
import { recordOf } from "../release/release-record.ts";

/** How the names of metadata begin that Stillage gives releases. */
const ownKeys = "stillage.";

/** Characters of what a commit says of itself. The lines stand in the list and on the page that every visitor reads, for as long as the repository has the commit. */
const maxLine = 1000;
const maxBody = 64 * 1024;

const refBinding = "ostree.ref-binding";
const collectionBinding = "ostree.collection-binding";

/**
 * The commit of a branch here that has what a pusher's has: the same tree, message, time and other metadata. Its parent is what the branch here is at, and it is bound to
 * this branch and, where there is one, this repository's collection. It has nothing of what Stillage says of releases: a manifest does not come along, and what artifact
 * or rollback it is would be the pusher's word. Where nothing of that differs, it is the very same commit.
 */
export function commitHere(
  pushed: Commit,
  branch: string,
  head: Checksum | undefined,
  collection: string | undefined,
): Commit {
  const own = pushed.metadata.filter(([key]) => !key.startsWith(ownKeys));
  const bound = withKey(own, refBinding, { type: "as", value: [branch] });
  const place = collection === undefined ? undefined : { type: "s", value: collection };
  return { ...pushed, parent: head, metadata: withKey(bound, collectionBinding, place) };
}

/** Where a key stands already, its new value stands in its place: the order counts in the checksum. */
function withKey(dictionary: Dictionary, key: string, value: Variant | undefined): Dictionary {
  const at = dictionary.findIndex(([name]) => name === key);
  const others = dictionary.filter(([name]) => name !== key);
  if (value === undefined) return others;
  return others.toSpliced(at < 0 ? others.length : at, 0, [key, value]);
}

/** Why a commit that is pushed changes nothing for the better, for people; none: it is newer and has something else. */
export function objections(pushed: Commit, head: Commit): string[] {
  const why: string[] = [];
  if (pushed.timestamp <= head.timestamp) why.push("it is not newer than what is here");
  if (contentChecksum(pushed) === contentChecksum(head)) why.push("it has the same content");
  return why;
}

/** Errors: `exhausted` for a commit that says more of itself than is shown of one. */
export function checkWords(branch: string, checksum: Checksum, pushed: Commit): void {
  const { subject, body, version, title, endOfLife, endOfLifeRebase } = recordOf(branch, checksum, pushed);
  const lines = { subject, version, title, "end of life": endOfLife, rebase: endOfLifeRebase };
  const said = [...Object.entries(lines).map((line) => [...line, maxLine] as const), ["body", body, maxBody] as const];
  for (const [what, text = "", most] of said) {
    if (text.length <= most) continue;
    throw new StillageError(
      "exhausted",
      `${branch}: the ${what} of ${checksum} has ${text.length} characters, and may have ${most}`,
    );
  }
}
