import type { Catalogue } from "../artifact/catalogue.ts";
import { StillageError } from "../base/errors.ts";
import { artifactMeant, shownArtifact } from "../client/meant-artifacts.ts";
import { catalogueIndex } from "../client/store-index.ts";
import type { ArtifactRefs, FoundArtifact } from "../store/artifact-refs.ts";

/** The artifact of a store that somebody names. Errors: as of `artifactMeant`. */
export async function storedArtifactMeant(
  { catalogue, artifacts }: { readonly catalogue: Catalogue; readonly artifacts: ArtifactRefs },
  text: string,
): Promise<FoundArtifact> {
  const { signal } = new AbortController();
  const place = { name: "this store", index: catalogueIndex(catalogue, artifacts) };
  const { artifact } = await artifactMeant([place], text, { signal });
  const { project, element, keys } = artifact;
  const found = await catalogue.find({ project, element, key: keys[0] ?? "" });
  if (found === undefined)
    throw new StillageError("not-found", `the artifact ${shownArtifact(artifact)} has just gone`);
  return found;
}
