import { grpcStatus } from "../../rpc/status.ts";
import { type LookupKind, type Lookups, lookupKinds } from "./lookups.ts";

const cas = "build.bazel.remote.execution.v2.ContentAddressableStorage";

/** Methods that give one thing, or say that it is not there. */
const givers: Readonly<Record<string, LookupKind>> = {
  "google.bytestream.ByteStream/Read": "blob",
  "build.bazel.remote.execution.v2.ActionCache/GetActionResult": "action_result",
  "build.bazel.remote.asset.v1.Fetch/FetchBlob": "asset",
  "build.bazel.remote.asset.v1.Fetch/FetchDirectory": "asset",
  "buildstream.v2.ArtifactService/GetArtifact": "artifact",
  "buildstream.v2.SourceService/GetSource": "source",
  "buildstream.v2.ReferenceStorage/GetReference": "reference",
};

/** Counts what a call of one method has looked up. `place` is that of its instance. */
export type CountLookups = (place: number, status: number, found: number, absent: number) => void;

const nothing: CountLookups = () => {};

/** How the calls of a method are counted; chosen once for each. */
export function lookupsOf(method: string, lookups: Lookups): CountLookups {
  if (method === `${cas}/FindMissingBlobs`) {
    return (place, _status, found, absent) => lookups.countAsked(place, found, absent);
  }
  if (method === `${cas}/BatchReadBlobs`) {
    const blob = lookupKinds.indexOf("blob");
    return (place, _status, found, absent) => lookups.count(place, blob, found, absent);
  }
  const given = givers[method];
  if (given === undefined) return nothing;
  const kind = lookupKinds.indexOf(given);
  return (place, status, _found, absent) => {
    // What came from its origin was given, and was not here.
    if (status === grpcStatus.notFound || absent > 0) lookups.count(place, kind, 0, 1);
    else if (status === grpcStatus.ok) lookups.count(place, kind, 1, 0);
  };
}
