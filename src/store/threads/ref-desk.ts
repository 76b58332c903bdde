import type { MaybePromise } from "../../base/maybe-promise.ts";
import { then } from "../../base/maybe-promise.ts";
import type { ArtifactName, ArtifactQuery, ElementAndKey } from "../artifact-refs.ts";
import { type PackedListing, packListing } from "../packed-refs.ts";
import type { RefKind } from "../ref-admin.ts";
import type { RefName, RefStore, Space } from "../ref-store.ts";
import {
  newRefOfPlain,
  type PlainFound,
  type PlainListed,
  type PlainNewRef,
  type PlainRef,
  plainFound,
  plainListed,
  plainRef,
} from "./plain.ts";

/** What the thread that has the refs answers. */
export type RefAsks = ReturnType<typeof refDesk>;

/** Answers the questions of a DistantRefStore. */
export function refDesk(refs: RefStore) {
  const { artifacts } = refs;
  return {
    ref: (name: RefName): MaybePromise<PlainRef | undefined> => then(refs.get(name), (ref) => ref && plainRef(ref)),
    putRefs: (put: readonly PlainNewRef[]): Promise<void> => refs.put(put.map(newRefOfPlain)),
    removeRef: (name: RefName): Promise<void> => refs.remove(name),
    listedRefs: async (kind: RefKind, known: number | undefined): Promise<PackedListing | undefined> => {
      const listing = await refs.listed(kind, known);
      return listing && packListing(listing);
    },
    countRefs: (space: Space): MaybePromise<number> => refs.count(space),
    artifacts: (query: ArtifactQuery): MaybePromise<PlainListed[]> =>
      then(artifacts.list(query), (listed) => listed.map(plainListed)),
    artifact: (instance: string, name: ArtifactName): MaybePromise<PlainFound | undefined> =>
      then(artifacts.find(instance, name), (found) => found && plainFound(found)),
    projectOf: (instance: string, name: ElementAndKey): MaybePromise<string | undefined> =>
      artifacts.projectOf(instance, name),
    countArtifacts: (instance: string): MaybePromise<number> => artifacts.count(instance),
  };
}
