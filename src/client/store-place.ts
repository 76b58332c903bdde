import { join } from "node:path";
import { Catalogue } from "../artifact/catalogue.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { Closure } from "../cache/closure.ts";
import { type ArtifactRefs, generations } from "../store/artifact-refs.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { checkReadable, hasTenant, ReadOnlyTenant } from "../store/disk/read-only-store.ts";
import { openArtifacts } from "../store/sqlite/read-only-artifacts.ts";
import type { Place } from "./place.ts";
import { notWritable, storeBlobs } from "./store-blobs.ts";
import { catalogueIndex } from "./store-index.ts";

/** What an instance of a store has, read beside its server, until it is disposed of. */
export interface OpenCatalogue extends Disposable {
  readonly directory: string;
  readonly catalogue: Catalogue;
  readonly artifacts: ArtifactRefs;
  readonly blobs: BlobReader;
}

/**
 * Opens what an instance has in a server's directory; without a name the only one, or that without a name. Errors: `failed-precondition` for what is no store, `not-found`
 * for an instance that is not in it.
 */
export function openCatalogue(store: string, instance: string | undefined): OpenCatalogue {
  const directory = checkReadable(store);
  const artifacts = openArtifacts(join(directory, "refs.sqlite"), systemClock);
  try {
    const own = instanceMeant(instance, artifacts.instances(), directory);
    const blobs = new ReadOnlyTenant(directory, own);
    // Nothing is seen to be removed here: what there is is looked up once.
    const closure = new Closure(blobs, () => 0);
    const catalogue = new Catalogue({ instance: own, artifacts, blobs, closure });
    return { directory, catalogue, artifacts, blobs, [Symbol.dispose]: () => artifacts.close() };
  } catch (error) {
    artifacts.close();
    throw error;
  }
}

/** The same as a place, from which nothing is taken away and to which nothing is added. Errors: as above. */
export function openStorePlace(store: string, instance: string | undefined): Place {
  const opened = openCatalogue(store, instance);
  const name = `the store ${opened.directory}`;
  return {
    name,
    index: {
      generations,
      ...catalogueIndex(opened.catalogue, opened.artifacts),
      publish: () => Promise.reject(notWritable(name)),
    },
    blobs: storeBlobs(opened.blobs, name),
    writable: false,
    near: true,
    [Symbol.asyncDispose]: async () => opened[Symbol.dispose](),
  };
}

/** The instance of a name, also one that has no artifacts. Errors: `not-found`. */
export function instanceMeant(name: string | undefined, instances: readonly string[], directory: string): string {
  if (name === undefined) return defaultInstance(instances);
  if (instances.includes(name) || hasTenant(directory, name)) return name;
  throw new StillageError("not-found", `there is no instance ${JSON.stringify(name)} in this store`, {
    hint: instances.length === 0 ? "it has no artifacts at all" : `it has ${listed(instances)}`,
  });
}

function listed(instances: readonly string[]): string {
  return instances.map((each) => JSON.stringify(each)).join(", ");
}

function defaultInstance(instances: readonly string[]): string {
  const [only] = instances;
  if (instances.length <= 1 || instances.includes("")) return instances.length === 1 ? (only ?? "") : "";
  throw new StillageError("not-found", "there are several instances in this store, and none without a name", {
    hint: `name one with --instance: ${listed(instances)}`,
  });
}
