import { create, toBinary } from "@bufbuild/protobuf";
import { decode } from "../../base/decode.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import type { Tenants } from "../../cache/tenant.ts";
import type { ResumableUploads } from "../../cache/uploads.ts";
import {
  QueryWriteStatusRequestSchema,
  QueryWriteStatusResponseSchema,
} from "../../gen/google/bytestream/bytestream_pb.ts";
import type { Call, Reply, Service } from "../../rpc/service.ts";
import type { Admission } from "../admission.ts";
import { parseWriteName } from "../resource-name.ts";
import { reach } from "../rights.ts";
import { readBlob } from "./byte-stream-read.ts";
import { writeBlob } from "./byte-stream-write.ts";

export interface ByteStreamOptions {
  readonly tenants: Tenants;
  readonly uploads: ResumableUploads;
  readonly admission: Admission;
  /** max_cas_blob_size_bytes; `undefined`: no limit. */
  readonly maxBlobBytes: number | undefined;
}

/** google.bytestream.ByteStream (google/bytestream/bytestream.proto), as remote_execution.proto uses it. */
export function byteStreamService(options: ByteStreamOptions): Service {
  return {
    name: "google.bytestream.ByteStream",
    methods: {
      Read: { kind: "stream", oneRequest: true, handle: (stream) => readBlob(stream, options.tenants) },
      Write: { kind: "stream", handle: (stream) => writeBlob(stream, options) },
      QueryWriteStatus: { kind: "unary", handle: (request, call) => queryWriteStatus(request, call, options) },
    },
  };
}

/** How much of an upload is here, in uncompressed bytes. Errors: `not-found` where nothing is known of it. */
async function queryWriteStatus(
  request: Uint8Array,
  call: Call,
  { tenants, uploads }: ByteStreamOptions,
): Promise<Reply> {
  call.subject = decode(QueryWriteStatusRequestSchema, request).resourceName;
  const { instance, upload, digest } = parseWriteName(call.subject);
  const { blobs } = reach(tenants, call, instance, "pull");
  const missing = await blobs.missing(DigestList.of(digest));
  const complete = missing.length === 0;
  const received = complete ? digest.size : await uploads.received({ instance, upload, digest });
  if (received === undefined) throw new StillageError("not-found", "no such upload; begin it at 0");
  const response = { committedSize: BigInt(received), complete };
  return { parts: [toBinary(QueryWriteStatusResponseSchema, create(QueryWriteStatusResponseSchema, response))] };
}
