import { StillageError } from "../../base/errors.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { listArtifacts } from "./listed-index.ts";
import { firstFound, type ProtocolIndex } from "./protocol-index.ts";

/**
 * Artifacts of BuildStream 1.0 at a Stillage, by its HTTP API: the repository that it serves for them says the same in a summary of all that it has, which would have to be
 * fetched whole to look for one. Commits are put by `copyCommit`, never here.
 */
export function commitNameIndex(calls: RemoteCalls): ProtocolIndex {
  return {
    generation: "1.0",
    async find({ project, element, keys }, signal) {
      const first = await firstFound(keys, async (key) => {
        // Nothing in names of BuildStream's stands for other text.
        if (/[*?]/.test(project + element + key)) return undefined;
        const listed = listArtifacts(calls, [{ project, element, key }], async (each) => each, signal);
        for await (const each of listed) if (each.generation === "1.0" && each.keys.includes(key)) return each;
        return undefined;
      });
      return first && { ...first.found, keys: [first.key] };
    },
    async publish() {
      throw new StillageError("internal", "a commit was to be named before it was copied");
    },
  };
}
