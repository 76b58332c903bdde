import type { BatchUpdateBlobsRequest_RequestSchema } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Server } from "../case.ts";
import { isThere, newBlob } from "./blobs.ts";
import { expectEntry, expectEqual, expectOk, expectTrue } from "./expect.ts";
import type { Init } from "./init.ts";

/** An entry of a batch, good or bad. */
export type Entry = Init<typeof BatchUpdateBlobsRequest_RequestSchema>;

/** Sends entries and gives the status that each hash got. */
export async function updateBatch(
  server: Server,
  requests: Entry[],
): Promise<Map<string, { code: number } | undefined>> {
  const call = server.cas.batchUpdateBlobs({ instanceName: server.instance, requests });
  const { responses } = await expectOk(call, "BatchUpdateBlobs");
  expectEqual(responses.length, requests.length, "responses");
  return new Map(responses.map(({ digest, status }) => [digest?.hash ?? "", status]));
}

/** A bad entry gets its status and leaves nothing behind; the good one beside it is stored. */
export async function refusesEntry(server: Server, bad: Entry, what: string): Promise<void> {
  const good = newBlob();
  const statuses = await updateBatch(server, [bad, good]);
  expectEntry(statuses.get(bad.digest?.hash ?? ""), "invalidArgument", what);
  expectEntry(statuses.get(good.digest.hash), "ok", "the good blob beside it");
  expectTrue(await isThere(server, server.instance, good.digest), "the good blob was not stored");
}
