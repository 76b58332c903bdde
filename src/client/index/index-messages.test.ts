import { test } from "node:test";
import fc from "fast-check";
import { anySize, anyText, assertAgrees } from "../../base/message.fixture.ts";
import {
  FetchBlobRequestSchema,
  FetchBlobResponseSchema,
  PushBlobRequestSchema,
} from "../../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  GetReferenceRequestSchema,
  GetReferenceResponseSchema,
  UpdateReferenceRequestSchema,
} from "../../gen/buildstream/v2/reference_storage_pb.ts";
import { GetArtifactRequestSchema } from "../../gen/buildstream/v2/services_pb.ts";
import { getArtifactRequest } from "./artifact-service-messages.ts";
import { fetchRequest, fetchResponse, pushRequest } from "./asset-messages.ts";
import { getReferenceRequest, getReferenceResponse, updateReferenceRequest } from "./reference-messages.ts";

const digest = fc.option(fc.record({ hash: anyText, sizeBytes: anySize }), { nil: undefined });
const digests = fc.array(fc.record({ hash: anyText, sizeBytes: anySize }), { maxLength: 4 });
const texts = fc.array(anyText, { maxLength: 4 });
const instanceName = anyText;

test("what is written and read by hand agrees with the generated code", () => {
  const blob = { digest: "blobDigest" };
  assertAgrees(fetchRequest, FetchBlobRequestSchema, fc.record({ instanceName, uris: texts }));
  const status = fc.option(fc.record({ code: fc.nat(16), message: anyText }), { nil: undefined });
  assertAgrees(fetchResponse, FetchBlobResponseSchema, fc.record({ status, uri: anyText, digest }), blob);
  const push = { instanceName, uris: texts, digest, referencesBlobs: digests, referencesDirectories: digests };
  assertAgrees(pushRequest, PushBlobRequestSchema, fc.record(push), blob);
  assertAgrees(getReferenceRequest, GetReferenceRequestSchema, fc.record({ instanceName, key: anyText }));
  assertAgrees(getReferenceResponse, GetReferenceResponseSchema, fc.record({ digest }));
  assertAgrees(updateReferenceRequest, UpdateReferenceRequestSchema, fc.record({ instanceName, keys: texts, digest }));
  assertAgrees(getArtifactRequest, GetArtifactRequestSchema, fc.record({ instanceName, cacheKey: anyText }));
});
