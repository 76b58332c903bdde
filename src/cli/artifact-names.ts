import { keyOfDigest } from "../base/digest.ts";
import { artifactMeant, artifactsMeant } from "../client/meant-artifacts.ts";
import type { OpenArtifact } from "../client/reading/open-artifact.ts";
import type { ReadingPlaces } from "./artifact-places.ts";

/** All artifacts that names mean, each once, ready to be read. Errors: as of `artifactsMeant`. */
export async function namedArtifacts(
  { search, signal, ofElement }: ReadingPlaces,
  names: readonly string[],
): Promise<OpenArtifact[]> {
  const opened = new Map<string, OpenArtifact>();
  for (const name of names) {
    for (const { artifact, place } of await artifactsMeant(search.places(), name, { signal, ofElement })) {
      const { project, element, content } = artifact;
      const same = JSON.stringify([project, element, keyOfDigest(content)]);
      if (!opened.has(same)) opened.set(same, search.open(artifact, place));
    }
  }
  return [...opened.values()];
}

/** The one artifact that a name means, ready to be read. Errors: as of `artifactMeant`. */
export async function namedArtifact({ search, signal, ofElement }: ReadingPlaces, name: string): Promise<OpenArtifact> {
  const { artifact, place } = await artifactMeant(search.places(), name, { signal, ofElement });
  return search.open(artifact, place);
}
