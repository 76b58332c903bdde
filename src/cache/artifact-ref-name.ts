import type { Digest } from "../base/digest.ts";
import type { ArtifactEntry, ArtifactName, Generation } from "../store/artifact-refs.ts";
import type { AssetKind } from "./asset-name.ts";

/** What BuildStream calls its artifacts, as blobs from 1.93.5 on and as directories from 1.5.1 to 1.6. */
export const artifactPrefix = "urn:fdc:buildstream.build:2020:artifact:";
export const directoryPrefix = "urn:fdc:buildstream.build:2020:v1:";

/** `PROJECT/ELEMENT/KEY` in its parts; `undefined` for what is not so made. No client's element has a slash, but it would be the one that may. */
export function parseArtifactName(name: string): ArtifactName | undefined {
  const first = name.indexOf("/");
  const last = name.lastIndexOf("/");
  const [project, element, key] = [name.slice(0, first), name.slice(first + 1, last), name.slice(last + 1)];
  if (first <= 0 || last <= first + 1 || key === "") return undefined;
  return { project, element, key };
}

/** The artifact that an asset without qualifiers is; `undefined` for one that is none. */
export function artifactOfAsset(kind: AssetKind, uri: string, content: Digest): ArtifactEntry | undefined {
  const prefix = kind === "blob" ? artifactPrefix : directoryPrefix;
  if (!uri.startsWith(prefix)) return undefined;
  return entryOf(uri.slice(prefix.length), kind === "blob" ? "2.x" : "1.x", content);
}

export function entryOf(name: string, generation: Generation, content: Digest): ArtifactEntry | undefined {
  const parts = parseArtifactName(name);
  return parts && { ...parts, generation, content };
}
