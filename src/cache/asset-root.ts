import type { Digest } from "../base/digest.ts";
import type { Root } from "../store/ref-store.ts";
import { artifactPrefix } from "./artifact-ref-name.ts";
import type { AssetKind } from "./asset-name.ts";

/** What BuildStream 2 calls the combined sources of its elements. */
const sourcePrefix = "urn:fdc:buildstream.build:2020:source:";

/**
 * How to find what a pushed content needs. Messages do not tell their kind (a Source also parses as a Directory), so the URI
 * and the call decide: only what BuildStream pushed as a blob under its own names is an artifact or a source.
 */
export function rootOfAsset(kind: AssetKind, uri: string, digest: Digest): Root {
  if (kind === "directory") return { walk: "directory", digest };
  if (uri.startsWith(artifactPrefix)) return { walk: "artifact", digest };
  if (uri.startsWith(sourcePrefix)) return { walk: "source", digest };
  return { walk: "blob", digest };
}
