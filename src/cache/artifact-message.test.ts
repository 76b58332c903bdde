import { test } from "node:test";
import fc from "fast-check";
import { anySize, anyText, assertAgrees } from "../base/message.fixture.ts";
import { DigestSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../gen/buildstream/v2/artifact_pb.ts";
import { SourceSchema } from "../gen/buildstream/v2/source_pb.ts";
import { artifactMessage, digestMessage, sourceMessage } from "./artifact-message.ts";

const digest = fc.record({ hash: anyText, sizeBytes: anySize });
const maybe = fc.option(digest, { nil: undefined });

test("what is written and read by hand agrees with the generated code", () => {
  assertAgrees(digestMessage, DigestSchema, digest);
  assertAgrees(sourceMessage, SourceSchema, fc.record({ files: maybe }));
  const dependency = fc.record({
    ...{ projectName: anyText, elementName: anyText, cacheKey: anyText, wasWorkspaced: fc.boolean() },
  });
  const artifact = fc.record({
    version: fc.nat(),
    ...{ buildSuccess: fc.boolean(), buildError: anyText, buildErrorDetails: anyText, wasWorkspaced: fc.boolean() },
    ...{ strongKey: anyText, weakKey: anyText, strictKey: anyText },
    buildDeps: fc.array(dependency, { maxLength: 4 }),
    logs: fc.array(fc.record({ name: anyText, digest: maybe }), { maxLength: 4 }),
    ...{ files: maybe, publicData: maybe, lowDiversityMeta: maybe, highDiversityMeta: maybe },
    ...{ buildtree: maybe, sources: maybe, buildroot: maybe },
    buildsandbox: fc.option(fc.record({ subsandboxDigests: fc.array(digest, { maxLength: 4 }) }), { nil: undefined }),
  });
  assertAgrees(artifactMessage, ArtifactSchema, artifact);
});
