import type { MessageWalk } from "../cache/artifact-needs.ts";
import { endsInCacheKey, type NameKind } from "./name-kind.ts";

function messages(what: NameKind["what"], walk: MessageWalk, folder: string): NameKind {
  return {
    what,
    layout: "bst1.9",
    folder,
    isName: endsInCacheKey,
    read: ({ key, bytes, time }, tenant) => [tenant.messages.refOf(walk, key, bytes, time)],
  };
}

/** `artifacts/refs/PROJECT/ELEMENT/KEY`: the encoded Artifact (casserver.py, 1.91 to 1.93). */
export const artifacts = messages("artifacts", "artifact", "artifacts/refs");

/** `source_protos/KIND/KEY`: the encoded Source (casserver.py, 1.91 to 1.93). */
export const sources = messages("sources", "source", "source_protos");
