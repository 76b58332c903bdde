import { test } from "node:test";
import fc from "fast-check";
import { anySize, anyText, assertAgrees } from "../../base/message.fixture.ts";
import { ServerCapabilitiesSchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { StatusRequestSchema, StatusResponseSchema } from "../../gen/buildstream/v2/reference_storage_pb.ts";
import { ServerCapabilitiesSchema as BstCapabilitiesSchema } from "../../gen/buildstream/v2/services_pb.ts";
import { bstCapabilities, instanceRequest, serverCapabilities, statusResponse } from "./probe-messages.ts";

const maybe = <T>(any: fc.Arbitrary<T>) => fc.option(any, { nil: undefined });
const updates = fc.record({ allowUpdates: fc.boolean() });

test("what is written and read by hand agrees with the generated code", () => {
  assertAgrees(instanceRequest, StatusRequestSchema, fc.record({ instanceName: anyText }));
  assertAgrees(statusResponse, StatusResponseSchema, updates);
  assertAgrees(bstCapabilities, BstCapabilitiesSchema, fc.record({ artifactCapabilities: maybe(updates) }));
  const cache = fc.record({
    digestFunctions: fc.array(fc.nat(9), { maxLength: 4 }),
    actionCacheUpdateCapabilities: maybe(fc.record({ updateEnabled: fc.boolean() })),
    ...{ maxBatchTotalSizeBytes: anySize, maxCasBlobSizeBytes: anySize },
  });
  assertAgrees(serverCapabilities, ServerCapabilitiesSchema, fc.record({ cacheCapabilities: maybe(cache) }));
});
