import assert from "node:assert/strict";
import { it } from "node:test";
import { contentOfMessage } from "../../artifact/message-content.ts";
import { digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { startAnswering } from "./answering-server.fixture.ts";
import { joinedIndex } from "./joined-index.ts";
import type { ProtocolIndex } from "./protocol-index.ts";

const { signal } = new AbortController();
const content = digestOf(sha256, Buffer.from("content"));
const noContent = contentOfMessage(new Uint8Array(0), sha256);
const question = { project: "project", element: "element", keys: ["key"] };

type Held = "has" | "lacks" | "fails";

/** An index of names in memory. */
function holding(generation: ProtocolIndex["generation"], held: Held): ProtocolIndex {
  let names = held === "has";
  return {
    generation,
    async find() {
      if (held === "fails") throw new StillageError("unavailable", `${generation} fails`);
      return names ? { ...question, generation, content, message: undefined } : undefined;
    },
    async publish() {
      const outcome = names ? "present" : "published";
      names = true;
      return outcome;
    },
  };
}

async function joined(...protocols: ProtocolIndex[]) {
  await using server = await startAnswering({});
  return joinedIndex({ calls: server.calls, protocols, listed: false });
}

it("asks the newest generation first, and the others where that has nothing", async () => {
  const index = await joined(holding("1.x", "has"), holding("2.x", "has"));
  assert.deepEqual(index.generations, ["2.x", "1.x"]);
  assert.equal((await index.find(question, signal))?.generation, "2.x");
  assert.equal((await index.find({ ...question, generation: "1.x" }, signal))?.generation, "1.x");
  assert.equal(await index.find({ ...question, generation: "1.9x" }, signal), undefined);
});

it("counts a failure only where nothing is found", async () => {
  const found = await joined(holding("2.x", "fails"), holding("1.x", "has"));
  assert.equal((await found.find(question, signal))?.generation, "1.x");
  const lost = await joined(holding("2.x", "fails"), holding("1.x", "lacks"));
  await assert.rejects(lost.find(question, signal), { message: "2.x fails" });
});

it("gives a name by each protocol of the artifact's generation", async () => {
  const index = await joined(holding("1.x", "has"), holding("1.x", "lacks"));
  const artifact: IndexedArtifact = { ...question, generation: "1.x", content, message: undefined };
  assert.equal(await index.publish(artifact, noContent, signal), "published");
  assert.equal(await index.publish(artifact, noContent, signal), "present");
  await assert.rejects(index.publish({ ...artifact, generation: "2.x" }, noContent, signal), { code: "unsupported" });
});

it("says what to do where names cannot be listed", async () => {
  const index = await joined(holding("2.x", "has"));
  const listed = index.list([{ project: "*", element: "*", key: "" }], signal)[Symbol.asyncIterator]();
  await assert.rejects(listed.next(), (error: StillageError) => {
    return error.code === "unsupported" && (error.hint ?? "").includes("PROJECT/ELEMENT/KEY");
  });
});
