import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { sha256 } from "../base/digest-function.ts";
import { tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "../base/protobuf.ts";
import { maxArtifactFields } from "../cache/artifact-message.ts";
import { ArtifactSchema } from "../gen/buildstream/v2/artifact_pb.ts";
import { contentOfMessage } from "./message-content.ts";

/** A field that is a message, or one in it, and so on down, with this in the last. */
function within(numbers: readonly number[], bytes: Uint8Array): Uint8Array {
  return numbers.reduceRight((inner, number) => {
    const tag = tagOf(number, wireBytes);
    const field = new Uint8Array(varintLength(tag) + varintLength(inner.length) + inner.length);
    field.set(inner, writeVarint(field, writeVarint(field, 0, tag), inner.length));
    return field;
  }, bytes);
}

describe("contentOfMessage", () => {
  it("takes as many dependencies as no element has", () => {
    const dependency = { projectName: "p", elementName: "e.bst", cacheKey: "k", wasWorkspaced: true };
    const buildDeps = Array.from({ length: maxArtifactFields / 5 - 1 }, () => dependency);
    const bytes = toBinary(ArtifactSchema, create(ArtifactSchema, { version: 2, buildDeps }));
    assert.equal(contentOfMessage(bytes, sha256).dependencies.length, buildDeps.length);
  });

  const empty = (tag: number): Uint8Array =>
    new Uint8Array(Array.from({ length: maxArtifactFields + 1 }, () => [tag, 0]).flat());
  const refused: [what: string, bytes: Uint8Array][] = [
    ["dependencies of nothing", empty(tagOf(9, wireBytes))],
    ["sandboxes of nothing", within([18], empty(tagOf(3, wireBytes)))],
    ["unknown members of a digest of a log", within([11, 2], empty(tagOf(7, wireVarint)))],
  ];
  for (const [what, bytes] of refused) {
    it(`refuses a message of ${what}`, () => {
      assert.throws(() => contentOfMessage(bytes, sha256), { code: "invalid", message: /more than \d+ fields/ });
    });
  }
});
