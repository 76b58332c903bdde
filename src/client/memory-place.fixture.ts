import { type Library, library } from "../artifact/artifact.fixture.ts";
import { StillageError } from "../base/errors.ts";
import { generations } from "../store/artifact-refs.ts";
import type { IndexedArtifact } from "./artifact-index.ts";
import type { Place } from "./place.ts";
import { notWritable, storeBlobs } from "./store-blobs.ts";
import { catalogueIndex } from "./store-index.ts";

/** A place in memory, for tests: what is pushed to `tenant` is there. */
export interface MemoryPlace extends Place, Pick<Library, "tenant"> {
  readonly blobs: NonNullable<Place["blobs"]>;
  readonly index: NonNullable<Place["index"]>;
  /** Questions for many blobs, and how many of them were in each. */
  readonly asked: number[];
}

/** `lists` is false for a server that cannot say what it has. */
export function memoryPlace(name = "memory", lists = true): MemoryPlace {
  const { tenant, catalogue } = library();
  const index = catalogueIndex(catalogue, tenant.refs.artifacts);
  const blobs = storeBlobs(tenant.blobs, name);
  const asked: number[] = [];
  return {
    name,
    tenant,
    asked,
    index: {
      generations,
      ...index,
      list: lists ? index.list : () => noList(name),
      publish: () => Promise.reject(notWritable(name)),
    },
    blobs: {
      ...blobs,
      readMany: (digests, take, signal) => {
        asked.push(digests.length);
        return blobs.readMany(digests, take, signal);
      },
    },
    writable: false,
    [Symbol.asyncDispose]: async () => {},
  };
}

// biome-ignore lint/correctness/useYield: it fails where a list would begin
async function* noList(name: string): AsyncGenerator<IndexedArtifact> {
  throw new StillageError("unsupported", `${name} cannot list what it has`);
}
