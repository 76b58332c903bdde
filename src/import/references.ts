import { decode } from "../base/decode.ts";
import { parseDigest } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { assetOfReferences } from "../cache/reference-name.ts";
import { DigestSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { endsInCacheKey, type NameKind } from "./name-kind.ts";

/** `cas/refs/heads/PROJECT/ELEMENT/KEY`: the encoded Digest of the artifact's root (casserver.py and cascache.py, 1.1.4 to 1.93.4). */
export const references: NameKind = {
  what: "references",
  layout: "bst1",
  folder: "cas/refs/heads",
  isName: endsInCacheKey,
  read: ({ key, bytes, time }, { name, assets }) => {
    const { hash, sizeBytes } = decode(DigestSchema, bytes);
    return assets.refsOf(assetOfReferences(name, [key], parseDigest(hash, sizeBytes, sha256)), time);
  },
};
