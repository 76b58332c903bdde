import { newUri } from "./assets.ts";
import { type DigestInit, newBlob, type TestBlob } from "./blobs.ts";
import { chunksOf, readAll, readName, writeMessages, writeName } from "./byte-stream.ts";
import type { Endpoint } from "./endpoint.ts";

type Calls = Readonly<Record<string, () => Promise<unknown>>>;

/** A well-formed call of every method that reads, by name. */
export function readCalls(endpoint: Endpoint, instanceName: string, digest: DigestInit = newBlob().digest): Calls {
  const { cas, byteStream, actionCache, fetch, references, artifacts, sources } = endpoint;
  const uris = [newUri()];
  return {
    FindMissingBlobs: () => cas.findMissingBlobs({ instanceName, blobDigests: [digest] }),
    BatchReadBlobs: () => cas.batchReadBlobs({ instanceName, digests: [digest] }),
    GetTree: async () => {
      const call = cas.getTree();
      await call.send({ instanceName, rootDigest: digest });
      call.halfClose();
      return call.receive();
    },
    SplitBlob: () => cas.splitBlob({ instanceName, blobDigest: digest }),
    Read: () => readAll(endpoint, { resourceName: readName(instanceName, digest) }),
    "Read of compressed-blobs": () =>
      readAll(endpoint, { resourceName: readName(instanceName, digest, "compressed-blobs/zstd") }),
    QueryWriteStatus: () => byteStream.queryWriteStatus({ resourceName: writeName(instanceName, digest) }),
    GetActionResult: () => actionCache.getActionResult({ instanceName, actionDigest: digest }),
    FetchBlob: () => fetch.fetchBlob({ instanceName, uris }),
    FetchDirectory: () => fetch.fetchDirectory({ instanceName, uris }),
    GetReference: () => references.getReference({ instanceName, key: uris[0] as string }),
    GetArtifact: () => artifacts.getArtifact({ instanceName, cacheKey: uris[0] as string }),
    GetSource: () => sources.getSource({ instanceName, cacheKey: uris[0] as string }),
  };
}

/** A well-formed call of every method that writes, by name; each would be taken by a server that lets the caller write. */
export function writeCalls(endpoint: Endpoint, instanceName: string, blob: TestBlob = newBlob(1000)): Calls {
  const { cas, actionCache, push, references, artifacts, sources } = endpoint;
  const { digest, data } = blob;
  const uris = [newUri()];
  return {
    BatchUpdateBlobs: () => cas.batchUpdateBlobs({ instanceName, requests: [blob] }),
    Write: () => writeMessages(endpoint, chunksOf(writeName(instanceName, digest), data, { size: 400 })),
    "Write of compressed-blobs": () =>
      writeMessages(endpoint, chunksOf(writeName(instanceName, digest, "compressed-blobs/zstd"), data, { size: 400 })),
    SpliceBlob: () => cas.spliceBlob({ instanceName, blobDigest: digest, chunkDigests: [digest] }),
    UpdateActionResult: () =>
      actionCache.updateActionResult({ instanceName, actionDigest: digest, actionResult: { exitCode: 1 } }),
    PushBlob: () => push.pushBlob({ instanceName, uris, blobDigest: digest }),
    PushDirectory: () => push.pushDirectory({ instanceName, uris, rootDirectoryDigest: digest }),
    UpdateReference: () => references.updateReference({ instanceName, keys: uris, digest }),
    UpdateArtifact: () => artifacts.updateArtifact({ instanceName, cacheKey: uris[0] as string, artifact: {} }),
    UpdateSource: () => sources.updateSource({ instanceName, cacheKey: uris[0] as string, source: {} }),
  };
}
