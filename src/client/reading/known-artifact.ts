import type { ReportedArtifact } from "../../artifact/artifact-report.ts";
import type { IndexedArtifact } from "../artifact-index.ts";

/** An artifact as views of `src/artifact/` show it. */
export function knownArtifact(artifact: IndexedArtifact): ReportedArtifact {
  const { project, element, keys, generation, content, record } = artifact;
  const { instance, pushed, by, used, expires, pinned, moreKeys = false } = record ?? {};
  return { project, element, keys, generation, content, instance, pushed, by, used, expires, pinned, moreKeys };
}
