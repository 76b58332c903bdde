import assert from "node:assert/strict";
import { ContentAddressableStorage } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../../src/rpc/client/channel.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { startServer } from "../clients/support/stillage.ts";
import { newText } from "../conformance/support/blobs.ts";

/** More than a batch of small blobs needs, less than a message may have. */
const blobBytes = 100_000;

/** Starts `program serve STORE OPTIONS`, asks for its health, pushes a blob and reads it back, and stops it. */
export async function useServer(program: string, store: string, options: readonly string[] = []): Promise<void> {
  process.env.STILLAGE_PROGRAM = program;
  await using server = await startServer(store, options);
  const health = await fetch(`http://${server.address}/healthz`);
  assert.equal(health.status, 200, await health.text());

  const channel = connect(`http://${server.address}`);
  const cas = client(channel, ContentAddressableStorage);
  const { digest, data } = newText(blobBytes);
  const pushed = await cas.batchUpdateBlobs({ requests: [{ digest, data }] });
  assert.deepEqual(
    pushed.responses.map(({ status }) => status?.code ?? 0),
    [0],
  );
  const read = await cas.batchReadBlobs({ digests: [digest] });
  assert.deepEqual(
    read.responses.map((response) => Buffer.from(response.data)),
    [data],
  );
  await channel.close();

  assert.equal(await server.stop(), 0, server.log());
}
