import { then } from "../../base/maybe-promise.ts";
import type { Tenants } from "../../cache/tenant.ts";
import type { Reply, Service } from "../../rpc/service.ts";
import { decodeFindMissing, encodeMissing } from "../wire/find-missing.ts";
import { readBatch } from "./cas-batch-read.ts";
import { updateBatch } from "./cas-batch-update.ts";
import { streamTree } from "./cas-get-tree.ts";

export interface CasOptions {
  readonly tenants: Tenants;
  /** max_batch_total_size_bytes. */
  readonly maxBatchBytes: number;
}

/** What a batch request may take beyond its data: its digests. */
const batchOverheadBytes = 1 << 20;

/** build.bazel.remote.execution.v2.ContentAddressableStorage. */
export function casService({ tenants, maxBatchBytes }: CasOptions): Service {
  const maxRequestBytes = maxBatchBytes + batchOverheadBytes;
  return {
    name: "build.bazel.remote.execution.v2.ContentAddressableStorage",
    methods: {
      FindMissingBlobs: {
        kind: "unary",
        handle: (request) => {
          const asked = decodeFindMissing(request);
          const { blobs } = tenants.find(asked.instance);
          return then(blobs.missing(asked.digests), (missing): Reply => {
            return { parts: missing.length === 0 ? [] : [encodeMissing(request, asked, missing)] };
          });
        },
      },
      BatchUpdateBlobs: {
        kind: "unary",
        maxRequestBytes,
        handle: (request, call) => updateBatch(request, call.peer, tenants, maxBatchBytes),
      },
      BatchReadBlobs: { kind: "unary", handle: (request) => readBatch(request, tenants, maxBatchBytes) },
      GetTree: { kind: "stream", handle: (stream) => streamTree(stream, tenants) },
    },
  };
}
