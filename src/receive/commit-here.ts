import type { Dictionary, Variant } from "../base/gvariant/value.ts";
import { type Commit, contentChecksum } from "../ostree/commit.ts";
import type { Checksum } from "../ostree/object-name.ts";
import { metadataKeys } from "../release/prepared.ts";

const refBinding = "ostree.ref-binding";
const collectionBinding = "ostree.collection-binding";

/**
 * The commit of a branch here that has what a pusher's has: the same tree, message, time and other metadata. Its parent is what the branch here is at, and it is bound to
 * this branch and, where there is one, this repository's collection. It names no manifest: that of a release from elsewhere does not come along, and would be missed. Where
 * nothing of that differs, it is the very same commit.
 */
export function commitHere(
  pushed: Commit,
  branch: string,
  head: Checksum | undefined,
  collection: string | undefined,
): Commit {
  const own = withKey(pushed.metadata, metadataKeys.manifest, undefined);
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
