import type { RefAdmin, RefGroup } from "../../store/ref-admin.ts";
import { type Family, single } from "./family.ts";

/** The names that are kept, by their kind. */
export function refFamilies(refs: Pick<RefAdmin, "groups" | "size">): Family[] {
  const byKind = (name: string, help: string, value: (group: RefGroup) => number | undefined): Family => ({
    ...{ name, type: "gauge", help, labels: ["space", "instance_name"] },
    collect: (samples) => {
      for (const group of refs.groups()) {
        const found = value(group);
        if (found !== undefined) samples.value(found, group.space, group.instance);
      }
    },
  });
  return [
    byKind("stillage_refs", "Names that are kept", (group) => group.refs),
    byKind("stillage_refs_pinned", "Names that are kept for ever", ({ pinned }) => pinned),
    byKind(
      "stillage_refs_oldest_use_timestamp_seconds",
      "When the one was last used that was not used for longest, in seconds since 1970; pinned ones do not count",
      ({ oldestUse }) => (oldestUse === undefined ? undefined : oldestUse / 1000),
    ),
    single("gauge", "stillage_refs_bytes", "Bytes of refs.sqlite and its journal", () => refs.size().bytes),
    single("gauge", "stillage_refs_free_bytes", "Bytes of refs.sqlite that are used again before it grows", () => {
      return refs.size().free;
    }),
  ];
}
