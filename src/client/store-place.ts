import { join } from "node:path";
import { Catalogue } from "../artifact/catalogue.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { Closure } from "../cache/closure.ts";
import { generations } from "../store/artifact-refs.ts";
import type { BlobReader } from "../store/blob-store.ts";
import { checkReadable, hasTenant, ReadOnlyTenant } from "../store/disk/read-only-store.ts";
import { openArtifacts } from "../store/sqlite/read-only-artifacts.ts";
import type { Place } from "./place.ts";
import { notWritable, storeBlobs } from "./store-blobs.ts";
import { catalogueIndex } from "./store-index.ts";

/** The store of a `stillage serve`, read beside it. */
export interface StorePlace extends Place {
  readonly catalogue: Catalogue;
  readonly reader: BlobReader;
}

/**
 * What an instance has in a server's directory; without a name the only one, or that without a name. Errors: `failed-precondition` for what is no store, `not-found`
 * for an instance that is not in it.
 */
export function openStorePlace(store: string, instance: string | undefined): StorePlace {
  const directory = checkReadable(store);
  const artifacts = openArtifacts(join(directory, "refs.sqlite"), systemClock);
  try {
    const own = instanceMeant(instance, artifacts.instances(), directory);
    const reader = new ReadOnlyTenant(directory, own);
    // Nothing is seen to be removed here: what there is is looked up once.
    const closure = new Closure(reader, () => 0);
    const catalogue = new Catalogue({ instance: own, artifacts, blobs: reader, closure });
    const name = `the store ${directory}`;
    return {
      name,
      catalogue,
      reader,
      index: {
        generations,
        newestFirst: true,
        ...catalogueIndex(catalogue, artifacts),
        publish: () => Promise.reject(notWritable(name)),
      },
      blobs: storeBlobs(reader, name),
      writable: false,
      [Symbol.asyncDispose]: async () => artifacts.close(),
    };
  } catch (error) {
    artifacts.close();
    throw error;
  }
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
