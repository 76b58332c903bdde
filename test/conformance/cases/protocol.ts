import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  FindMissingBlobsRequestSchema,
  RequestMetadataSchema,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case } from "../case.ts";
import { newBlob, newText, upload } from "../support/blobs.ts";
import { readAll, readName, writeBlob } from "../support/byte-stream.ts";
import { expectBytes, expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import { ping, rawCall } from "../support/raw-call.ts";

const source = "PROTOCOL-HTTP2.md of gRPC";
const findMissing = "build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";

const findMissingRequest = (instanceName: string): Uint8Array =>
  toBinary(
    FindMissingBlobsRequestSchema,
    create(FindMissingBlobsRequestSchema, { instanceName, blobDigests: [newBlob().digest] }),
  );

export const protocolCases: readonly Case[] = [
  {
    id: "protocol/unknown-method",
    title: "unknown methods and services are UNIMPLEMENTED",
    source: "statuscodes.md of gRPC",
    async run({ channel }) {
      for (const method of [
        "build.bazel.remote.execution.v2.ContentAddressableStorage/Nothing",
        "build.bazel.remote.execution.v2.Execution/Execute",
        "no.such.Service/Method",
        "nothing",
      ]) {
        await expectStatus(channel.unary(method, new Uint8Array()), "unimplemented", method);
      }
    },
  },
  {
    id: "protocol/content-types",
    title: "application/grpc, with and without a format, is gRPC",
    source: `${source}, Content-Type`,
    async run({ url, instance }) {
      for (const type of ["application/grpc", "application/grpc+proto"]) {
        const headers = { "content-type": type };
        const { status } = await rawCall(url, findMissing, findMissingRequest(instance), { headers });
        expectEqual(status, "0", `grpc-status of ${type}`);
      }
    },
  },
  {
    id: "protocol/gzip",
    title: "a message compressed with gzip is read, or refused with UNIMPLEMENTED",
    source: "compression.md of gRPC",
    async run({ url, instance }) {
      const headers = { "grpc-encoding": "gzip" };
      const request = gzipSync(findMissingRequest(instance));
      const { status } = await rawCall(url, findMissing, request, { headers, compressed: true });
      expectTrue(status === "0" || status === "12", `grpc-status of a message in gzip: ${status}`);
    },
  },
  {
    id: "protocol/unknown-encoding",
    title: "a message compressed otherwise is refused with UNIMPLEMENTED",
    source: "compression.md of gRPC",
    async run({ url, instance }) {
      const headers = { "grpc-encoding": "snappy" };
      const { status } = await rawCall(url, findMissing, findMissingRequest(instance), { headers, compressed: true });
      expectEqual(status, "12", "grpc-status of a message in snappy");
    },
  },
  {
    id: "protocol/large-message",
    title: "a message far above every limit is RESOURCE_EXHAUSTED, and the server lives on",
    source: "statuscodes.md of gRPC",
    async run(server) {
      const request = { instanceName: server.instance, requests: [newBlob(80 << 20)] };
      const call = server.cas.batchUpdateBlobs(request);
      await expectStatus(call, ["resourceExhausted", "invalidArgument"], "BatchUpdateBlobs of 80 MiB");
      await upload(server.connect(), server.instance, [newBlob()]);
    },
  },
  {
    id: "protocol/unknown-fields",
    title: "fields that a server does not know are no error",
    source: "Protocol Buffers: unknown fields",
    async run({ channel, instance }) {
      // Field 1000, four bytes; field 1001, a varint.
      const unknown = Uint8Array.of(0xc2, 0x3e, 4, 1, 2, 3, 4, 0xc8, 0x3e, 7);
      const request = Buffer.concat([findMissingRequest(instance), unknown]);
      await expectOk(channel.unary(findMissing, request), "FindMissingBlobs with unknown fields");
    },
  },
  {
    id: "protocol/request-metadata",
    title: "RequestMetadata and a token may come, and may be rubbish",
    source: "remote_execution.proto, RequestMetadata; casd sends both",
    async run({ channel, instance }) {
      const metadata = create(RequestMetadataSchema, { toolDetails: { toolName: " (via buildbox-casd)" } });
      for (const value of [toBinary(RequestMetadataSchema, metadata), new Uint8Array(20).fill(255)]) {
        const headers = {
          "build.bazel.remote.execution.v2.requestmetadata-bin": Buffer.from(value).toString("base64"),
          authorization: "Bearer abc",
        };
        await expectOk(channel.unary(findMissing, findMissingRequest(instance), { headers }), "FindMissingBlobs");
      }
    },
  },
  {
    id: "protocol/many-streams",
    title: "a hundred calls at once over one connection",
    source: "casd: twice as many transfers as the client has cores, over one connection",
    async run(server) {
      const blobs = Array.from({ length: 100 }, () => newBlob(100_000));
      await Promise.all(blobs.map((blob) => expectOk(writeBlob(server, server.instance, blob), "Write")));
      const read = async ({ digest, data }: (typeof blobs)[number]) => {
        const call = readAll(server, { resourceName: readName(server.instance, digest) });
        expectBytes(await expectOk(call, "Read"), data, "Read");
      };
      await Promise.all(blobs.map(read));
    },
  },
  {
    id: "protocol/many-calls",
    title: "thousands of calls over one connection",
    source: "a session of a build is one connection",
    async run(server) {
      const call = () => server.cas.findMissingBlobs({ instanceName: server.instance, blobDigests: [] });
      for (let i = 0; i < 30; i++) {
        await Promise.all(Array.from({ length: 100 }, () => expectOk(call(), "FindMissingBlobs")));
      }
    },
  },
  {
    id: "protocol/many-cancelled",
    title: "thousands of cancelled calls do not cost the connection",
    source: "clients end reads early; HTTP/2 libraries count resets",
    async run(server) {
      const blob = newBlob(3 << 20);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      for (let i = 0; i < 2000; i++) {
        const call = server.byteStream.read();
        await call.send({ resourceName: readName(server.instance, blob.digest) });
        call.cancel();
      }
      await upload(server, server.instance, [newBlob()]);
    },
  },
  {
    id: "protocol/pings",
    title: "pings in a row do not cost the connection",
    source: "BuildStream: keepalive-time",
    async run({ url }) {
      expectTrue((await ping(url, 50)) === 50, "the connection ended for its pings");
    },
  },
  {
    id: "protocol/deadline",
    title: "a call with a deadline is answered within it",
    source: `${source}, Timeout; BuildStream: request-timeout`,
    async run({ channel, instance }) {
      const call = channel.unary(findMissing, findMissingRequest(instance), { timeoutMs: 10_000 });
      await expectOk(call, "FindMissingBlobs within 10 s");
    },
  },
  {
    id: "protocol/deadline-passed",
    title: "a write that stalls beyond its deadline is given up",
    source: `${source}, Timeout`,
    async run({ url }) {
      const { status } = await rawCall(url, "google.bytestream.ByteStream/Write", undefined, {
        headers: { "grpc-timeout": "100m" },
      });
      // Either the status, or the stream is reset.
      expectTrue(status === "4" || status === "1" || status === undefined, `grpc-status: ${status}`);
    },
  },
  {
    id: "protocol/slow-reader",
    title: "a reader that does not read keeps nobody else waiting",
    source: "HTTP/2: flow control is per stream",
    async run(server) {
      const blob = newText(24 << 20);
      await expectOk(writeBlob(server, server.instance, blob), "Write");
      const stalled = server.byteStream.read();
      await stalled.send({ resourceName: readName(server.instance, blob.digest) });
      stalled.halfClose();
      await stalled.receive();
      for (let i = 0; i < 20; i++) await upload(server, server.instance, [newBlob()]);
      let bytes = 0;
      for await (const { data } of stalled) bytes += data.length;
      expectTrue(bytes > 16 << 20, "the rest is read later");
    },
  },
];
