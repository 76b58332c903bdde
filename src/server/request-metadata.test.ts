import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { RequestMetadataSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { parseRequestMetadata } from "./request-metadata.ts";

const nothing = { tool: "", action: "", invocation: "", correlated: "" };

describe("RequestMetadata", () => {
  it("is read as the generated code writes it", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(
        text,
        text,
        text,
        text,
        text,
        text,
        (toolName, toolVersion, action, invocation, correlated, other) => {
          const message = create(RequestMetadataSchema, {
            toolDetails: { toolName, toolVersion },
            actionId: action,
            toolInvocationId: invocation,
            correlatedInvocationsId: correlated,
            actionMnemonic: other,
          });
          const header = Buffer.from(toBinary(RequestMetadataSchema, message)).toString("base64");
          const tool = toolVersion === "" ? toolName : `${toolName} ${toolVersion}`;
          for (const each of [header, header.replace(/=+$/, "")])
            assert.deepEqual(parseRequestMetadata(each), { tool, action, invocation, correlated });
        },
      ),
    );
  });

  it("says nothing where it cannot be read", () => {
    for (const bad of ["", "!", "//////", "CgP/", "AA", "CgEK"])
      assert.deepEqual(parseRequestMetadata(bad), nothing, bad);
  });
});
