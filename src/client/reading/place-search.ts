import { StillageError } from "../../base/errors.ts";
import type { ArtifactIndex, IndexedArtifact } from "../artifact-index.ts";
import { chainBlobs } from "../blob-chain.ts";
import type { ReadableBlobs } from "../blob-reader.ts";
import type { LeftRemote, OpenedRemotes } from "../connection/open-remotes.ts";
import { type AskedIndex, artifactsMeant, type MeantOptions, shownArtifact } from "../meant-artifacts.ts";
import type { Place } from "../place.ts";
import { type OpenArtifact, openArtifact } from "./open-artifact.ts";

/** A place whose names are looked through. */
export interface SearchedPlace extends AskedIndex {
  readonly index: ArtifactIndex;
  readonly place: Place;
}

/** Where artifacts are looked for. */
export interface PlaceSearch {
  /** Those that have names, the nearest first; the others are opened when somebody gets to them. */
  places(): AsyncIterable<SearchedPlace>;
  /** What was found in one, to be read: what of it is not there, from the others. Errors: `unsupported` where the place has names alone and there is no other. */
  open(artifact: IndexedArtifact, place: SearchedPlace): OpenArtifact;
}

/** One place, and no other. */
export function onePlace(place: Place, signal: AbortSignal): PlaceSearch {
  return {
    async *places() {
      yield searched(place);
    },
    open: (artifact) => openArtifact(artifact, place, blobsOf(place, artifact), signal),
  };
}

/** All that names mean in one place, each artifact once. Errors: as of `artifactsMeant`. */
export async function allMeantIn(
  place: Place,
  names: readonly string[],
  options: MeantOptions,
): Promise<IndexedArtifact[]> {
  const meant = new Map<string, IndexedArtifact>();
  for (const name of names) {
    for (const { artifact } of await artifactsMeant(onePlace(place, options.signal).places(), name, options)) {
      meant.set(`${shownArtifact(artifact)} ${artifact.content.hash}`, artifact);
    }
  }
  return [...meant.values()];
}

/**
 * The local cache, then remotes: those are opened, all at once, when something is not in the cache. Of which remotes are left out, `tell` is called once.
 */
export function cacheAndRemotes(
  cache: Place,
  openRemotes: () => Promise<OpenedRemotes>,
  tell: (left: readonly LeftRemote[]) => void,
  signal: AbortSignal,
): PlaceSearch & AsyncDisposable {
  let opening: Promise<OpenedRemotes> | undefined;
  const remotes = (): Promise<OpenedRemotes> => {
    opening ??= openRemotes().then((opened) => {
      if (opened.left.length > 0) tell(opened.left);
      return opened;
    });
    return opening;
  };
  let far: ReadableBlobs | undefined;
  async function blobsOfRemotes(): Promise<ReadableBlobs | undefined> {
    const { open } = await remotes();
    const links = open.flatMap(({ blobs }) => (blobs === undefined ? [] : [async () => blobs]));
    if (links.length > 0) far ??= chainBlobs(links);
    return far;
  }
  return {
    async *places() {
      yield searched(cache);
      for (const remote of (await remotes()).open) if (remote.index !== undefined) yield searched(remote);
    },
    open(artifact, found) {
      const blobs = chainBlobs([
        async () => blobsOf(cache, artifact),
        async () => blobsOf(found.place, artifact),
        blobsOfRemotes,
      ]);
      return openArtifact(artifact, found.place, blobs, signal);
    },
    async [Symbol.asyncDispose]() {
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** What of an artifact is there, is asked where its generation has it. */
function blobsOf(place: Place, { generation }: IndexedArtifact): ReadableBlobs | undefined {
  return (generation === "1.0" ? undefined : place.blobsFor?.(generation)) ?? place.blobs;
}

function searched(place: Place): SearchedPlace {
  return { name: place.name, index: indexOf(place), place };
}

function indexOf({ name, index }: Place): ArtifactIndex {
  if (index !== undefined) return index;
  throw new StillageError("unsupported", `${name} has blobs, and no names of artifacts`, {
    hint: "name the server that has the index",
  });
}
