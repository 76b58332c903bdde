import assert from "node:assert/strict";
import { it } from "node:test";
import { status } from "@grpc/grpc-js";
import { type Answers, refusal, startAnswering } from "../index/answering-server.fixture.ts";
import { probe } from "./probe.ts";
import { questions } from "./probe-questions.ts";

const { signal } = new AbortController();
const refuse = (code: number) => (): never => {
  throw refusal(code);
};
const fetchBlob = refuse(status.INVALID_ARGUMENT);

/** What a server speaks that is tried so often again, at once. */
async function spokenBy(answers: Answers, retryLimit: number): Promise<string[]> {
  await using server = await startAnswering(answers);
  const spec = { ...server.spec, connection: { ...server.spec.connection, retryLimit, retryDelayMs: 1 } };
  const { answers: answered } = await probe({ channel: server.channel, spec, askPush: true, signal });
  return (await answered.protocols()).map(({ name, pull, push }) => `${name}: ${pull.kind}, ${push.kind}`);
}

it("a question that a server was too busy for is asked again, and no other one", async () => {
  const asked = { fetchBlob: 0, pushBlob: 0 };
  const answers: Answers = {
    [questions.fetchBlob]: () => {
      asked.fetchBlob++;
      return fetchBlob();
    },
    [questions.pushBlob]: () => refuse(++asked.pushBlob < 3 ? status.UNAVAILABLE : status.INVALID_ARGUMENT)(),
  };
  assert.deepEqual(await spokenBy(answers, 2), ["Remote Asset: allowed, allowed"]);
  assert.deepEqual(asked, { fetchBlob: 1, pushBlob: 3 });
});

it("what it stays too busy for is not known, and the rest is", async () => {
  const answers: Answers = { [questions.fetchBlob]: fetchBlob, [questions.pushBlob]: refuse(status.UNAVAILABLE) };
  assert.deepEqual(await spokenBy(answers, 1), ["Remote Asset: allowed, failed"]);
});

it("a server that answers nothing is an error", async () => {
  const answers = Object.fromEntries(Object.values(questions).map((each) => [each, refuse(status.UNAVAILABLE)]));
  await assert.rejects(spokenBy(answers, 1), { code: "unavailable", message: /^cache: asking what it speaks failed/ });
});
