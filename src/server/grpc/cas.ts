import { then } from "../../base/maybe-promise.ts";
import { ChunkLists } from "../../cache/chunk-lists.ts";
import { Slots } from "../../cache/slots.ts";
import { Splices } from "../../cache/splice.ts";
import { Splits } from "../../cache/split.ts";
import type { Tenants } from "../../cache/tenant.ts";
import type { Reply, Service } from "../../rpc/service.ts";
import { reach } from "../rights.ts";
import { decodeFindMissing, encodeMissing } from "../wire/find-missing.ts";
import { maxBatchReply, readBatch } from "./cas-batch-read.ts";
import { updateBatch } from "./cas-batch-update.ts";
import { maxTreeWalks, streamTree } from "./cas-get-tree.ts";
import { spliceBlob } from "./cas-splice.ts";
import { splitBlob } from "./cas-split.ts";

export interface CasOptions {
  readonly tenants: Tenants;
  /** max_batch_total_size_bytes. */
  readonly maxBatchBytes: number;
  /** max_cas_blob_size_bytes; `undefined`: no limit. */
  readonly maxBlobBytes: number | undefined;
}

/** What a batch request may take beyond its data: its digests. */
const batchOverheadBytes = 1 << 20;

/** build.bazel.remote.execution.v2.ContentAddressableStorage. */
export function casService(options: CasOptions): Service {
  const { tenants, maxBatchBytes } = options;
  const maxRequestBytes = maxBatchBytes + batchOverheadBytes;
  const walks = new Slots(maxTreeWalks);
  const lists = new ChunkLists();
  const splits = new Splits(lists);
  const splices = new Splices(lists);
  return {
    name: "build.bazel.remote.execution.v2.ContentAddressableStorage",
    methods: {
      FindMissingBlobs: {
        kind: "unary",
        handle: (request, call) => {
          const asked = decodeFindMissing(request);
          const { blobs } = reach(tenants, call, asked.instance, "pull");
          return then(blobs.missing(asked.digests), (missing): Reply => {
            call.absent = missing.length;
            call.found = asked.digests.length - missing.length;
            return { parts: missing.length === 0 ? [] : [encodeMissing(request, asked, missing)] };
          });
        },
      },
      BatchUpdateBlobs: {
        kind: "unary",
        maxRequestBytes,
        handle: (request, call) => updateBatch(request, call, options),
      },
      BatchReadBlobs: {
        kind: "unary",
        maxReplyBytes: maxBatchReply(maxBatchBytes),
        handle: (request, call) => readBatch(request, call, tenants, maxBatchBytes),
      },
      GetTree: { kind: "stream", oneRequest: true, handle: (stream) => streamTree(stream, tenants, walks) },
      SplitBlob: { kind: "unary", handle: (request, call) => splitBlob(request, call, tenants, splits) },
      SpliceBlob: { kind: "unary", handle: (request, call) => spliceBlob(request, call, options, splices) },
    },
  };
}
