import { chunkSizes, FastCdc } from "../../../src/cache/fast-cdc.ts";
import type { CacheCapabilities } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Server } from "../case.ts";
import { cacheCapabilities } from "../cases/capabilities.ts";
import { blobOf, type DigestInit, type TestBlob } from "./blobs.ts";
import { readAll, readName } from "./byte-stream.ts";
import { expectOk } from "./expect.ts";

/** Says what a server lacks whose capabilities do not have this. */
export const unless =
  (what: string, has: (capabilities: CacheCapabilities) => unknown) =>
  async (server: Server): Promise<string | undefined> => {
    const { instance } = server;
    return has(await cacheCapabilities(server, instance)) ? undefined : `the server does not advertise ${what}`;
  };

/** The pieces of a blob that FastCDC of this average makes. */
export function cutBlob({ data }: TestBlob, average: number): TestBlob[] {
  const cdc = new FastCdc(chunkSizes(average));
  const chunks: TestBlob[] = [];
  for (let at = 0; at < data.length; ) {
    const end = cdc.cut(data, at, data.length);
    chunks.push(blobOf(data.subarray(at, end)));
    at = end;
  }
  return chunks;
}

/** The bytes of blobs one after the other. */
export async function readChunks(server: Server, digests: readonly DigestInit[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const digest of digests) {
    const read = readAll(server, { resourceName: readName(server.instance, digest) });
    parts.push(await expectOk(read, "Read of a chunk"));
  }
  return Buffer.concat(parts);
}
