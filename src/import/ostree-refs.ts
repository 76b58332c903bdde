import { isCachedRef } from "../cache/cached-ref.ts";
import { checkDetached } from "../cache/commit-detached.ts";
import { detachedPath } from "../ostree/archive/repository-layout.ts";
import { parseChecksum } from "../ostree/object-name.ts";
import type { NameKind } from "./name-kind.ts";

/** `refs/heads/PROJECT/ELEMENT/KEY`: the checksum of a commit in hex. What is attached to the commit lies beside it, empty where that was taken away. */
export const ostreeRefs: NameKind = {
  what: "ostreeRefs",
  layout: "ostree",
  folder: "refs/heads",
  isName: isCachedRef,
  read: async ({ key, bytes, time }, { pushes }, beside) => {
    const commit = parseChecksum(Buffer.from(bytes).toString("latin1").trimEnd());
    const path = detachedPath(commit);
    const detached = await beside(path, (found) => checkDetached(path, found));
    const told = await pushes.told(commit, detached);
    return told && [await pushes.refTo(key, told, { stored: time })];
  },
};
