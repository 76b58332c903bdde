import type { QueryWriteStatusResponse } from "../../../src/gen/google/bytestream/bytestream_pb.ts";
import type { Case, Server } from "../case.ts";
import { emptyBlob, newBlob, upload } from "../support/blobs.ts";
import { chunksOf, readName, type WriteCall, writeMessages, writeName } from "../support/byte-stream.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { expectNotStored, expectStored } from "../support/stored.ts";

const source = "bytestream.proto, QueryWriteStatus";

/** How long a server may take to see what was sent over another connection, at its worst. */
const patienceMs = 15_000;

/** What the server says of the upload once it knows of at least `bytes`; fails where it never does. */
export async function committedAtLeast(server: Server, resourceName: string, bytes: bigint): Promise<bigint> {
  let known: bigint | undefined;
  for (const begin = performance.now(); performance.now() - begin < patienceMs; ) {
    try {
      known = (await server.byteStream.queryWriteStatus({ resourceName })).committedSize;
    } catch (error) {
      if ((error as { status?: string }).status !== "NOT_FOUND") throw error;
    }
    if (known !== undefined && known >= bytes) return known;
  }
  throw new Error(`QueryWriteStatus: expected the bytes sent, got ${known === undefined ? "NOT_FOUND" : "fewer"}`);
}

/** Sends the first messages of an upload over a connection of its own. */
async function begin(endpoint: Endpoint, messages: ReturnType<typeof chunksOf>): Promise<WriteCall> {
  const call = endpoint.byteStream.write();
  for (const message of messages) await call.send(message);
  return call;
}

const query = (server: Server, resourceName: string): Promise<QueryWriteStatusResponse> =>
  expectOk(server.byteStream.queryWriteStatus({ resourceName }), "QueryWriteStatus");

export const byteStreamResumeCases: readonly Case[] = [
  {
    id: "query-write-status/unknown",
    title: "an upload that nothing is known of is NOT_FOUND",
    source,
    async run(server) {
      const resourceName = writeName(server.instance, newBlob().digest);
      await expectStatus(server.byteStream.queryWriteStatus({ resourceName }), "notFound", "QueryWriteStatus");
    },
  },
  {
    id: "query-write-status/finished",
    title: "a finished upload, and any upload of a blob that is there, is complete",
    source,
    async run(server) {
      const [written, batched] = [newBlob(1000), newBlob(1000)];
      const resourceName = writeName(server.instance, written.digest);
      await expectOk(writeMessages(server, chunksOf(resourceName, written.data)), "Write");
      await upload(server, server.instance, [batched]);
      for (const name of [resourceName, writeName(server.instance, batched.digest)]) {
        const { committedSize, complete } = await query(server, name);
        expectEqual(complete, true, "complete");
        expectEqual(committedSize, 1000n, "committed_size");
      }
    },
  },
  {
    id: "query-write-status/empty-blob",
    title: "the empty blob is complete",
    source: "remote_execution.proto: the empty blob always exists",
    async run(server) {
      const { committedSize, complete } = await query(server, writeName(server.instance, emptyBlob.digest));
      expectEqual(complete, true, "complete");
      expectEqual(committedSize, 0n, "committed_size");
    },
  },
  {
    id: "query-write-status/malformed-name",
    title: "a name that is none, or of a read, is refused",
    source,
    async run(server) {
      for (const resourceName of ["", "uploads/x", readName(server.instance, newBlob().digest)]) {
        const call = server.byteStream.queryWriteStatus({ resourceName });
        await expectStatus(call, "invalidArgument", "QueryWriteStatus");
      }
    },
  },
  {
    id: "bytestream-resume/cut-connection",
    title: "an upload cut by a lost connection goes on from what QueryWriteStatus says",
    source,
    async run(server) {
      const blob = newBlob(6 << 20);
      const resourceName = writeName(server.instance, blob.digest);
      const lost = server.connect();
      const call = await begin(lost, chunksOf(resourceName, blob.data).slice(0, 3));
      await committedAtLeast(server, resourceName, 3n << 20n);
      lost.channel.destroy();
      await expectStatus(call.receive(), "unavailable", "Write over the lost connection");
      const from = Number(await committedAtLeast(server, resourceName, 1n));
      expectTrue(from <= 3 << 20, "more is committed than was sent");
      expectEqual((await query(server, resourceName)).complete, false, "complete");
      await expectNotStored(server, blob);
      const rest = chunksOf(resourceName, blob.data.subarray(from), { from });
      expectEqual(await expectOk(writeMessages(server, rest), "Write of the rest"), 6n << 20n, "committed_size");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-resume/cut-twice",
    title: "an upload that is cut again goes on again",
    source,
    async run(server) {
      const blob = newBlob(6 << 20);
      const resourceName = writeName(server.instance, blob.digest);
      let from = 0;
      for (let i = 0; i < 2; i++) {
        const lost = server.connect();
        await begin(lost, chunksOf(resourceName, blob.data.subarray(from), { from }).slice(0, 2));
        await committedAtLeast(server, resourceName, BigInt(from + (2 << 20)));
        lost.channel.destroy();
        from = Number(await committedAtLeast(server, resourceName, BigInt(from + (2 << 20))));
      }
      const rest = chunksOf(resourceName, blob.data.subarray(from), { from });
      expectEqual(await expectOk(writeMessages(server, rest), "Write of the rest"), 6n << 20n, "committed_size");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-resume/deadline",
    title: "an upload that was cut by its deadline goes on, too",
    source: `${source}; BuildStream: request-timeout`,
    async run(server) {
      const blob = newBlob(4 << 20);
      const resourceName = writeName(server.instance, blob.digest);
      const call = server.byteStream.write({ headers: { "grpc-timeout": "1S" } });
      for (const message of chunksOf(resourceName, blob.data).slice(0, 2)) await call.send(message);
      await expectStatus(call.receive(), ["deadlineExceeded", "cancelled"], "Write that stalls");
      const from = Number(await committedAtLeast(server, resourceName, 1n));
      await expectOk(
        writeMessages(server, chunksOf(resourceName, blob.data.subarray(from), { from })),
        "Write of the rest",
      );
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-resume/wrong-rest",
    title: "a resumed upload is verified as a whole",
    source: "remote_execution.proto: INVALID_ARGUMENT",
    async run(server) {
      const blob = newBlob(2 << 20);
      const resourceName = writeName(server.instance, blob.digest);
      const lost = server.connect();
      await begin(lost, chunksOf(resourceName, blob.data).slice(0, 1));
      await committedAtLeast(server, resourceName, 1n << 20n);
      lost.channel.destroy();
      const from = Number(await committedAtLeast(server, resourceName, 1n << 20n));
      const wrong = chunksOf(resourceName, newBlob((2 << 20) - from).data, { from });
      await expectStatus(writeMessages(server, wrong), "invalidArgument", "Write of another rest");
      await expectNotStored(server, blob);
      await expectOk(writeMessages(server, chunksOf(resourceName, blob.data)), "Write from 0");
      await expectStored(server, blob);
    },
  },
  {
    id: "bytestream-resume/behind-what-is-committed",
    title: "a write that leaves bytes out is refused",
    source: "bytestream.proto, Write: write_offset must be the committed size",
    async run(server) {
      const blob = newBlob(3 << 20);
      const resourceName = writeName(server.instance, blob.digest);
      const lost = server.connect();
      await begin(lost, chunksOf(resourceName, blob.data).slice(0, 1));
      await committedAtLeast(server, resourceName, 1n << 20n);
      lost.channel.destroy();
      const from = 2 << 20;
      const rest = chunksOf(resourceName, blob.data.subarray(from), { from });
      await expectStatus(
        writeMessages(server, rest),
        ["invalidArgument", "outOfRange", "failedPrecondition", "aborted"],
        "Write that leaves 1 MiB out",
      );
      await expectNotStored(server, blob);
    },
  },
  {
    id: "bytestream-resume/again-from-0",
    title: "an upload may begin again at 0 under the same name, though the old call hangs on",
    source: "casd: after UNAVAILABLE it starts again from 0 under the same name",
    async run(server) {
      const blob = newBlob(3 << 20);
      const resourceName = writeName(server.instance, blob.digest);
      const messages = chunksOf(resourceName, blob.data);
      const hanging = await begin(server.connect(), messages.slice(0, 2));
      await expectOk(writeMessages(server, messages), "Write from 0");
      await expectStored(server, blob);
      hanging.cancel();
    },
  },
];
