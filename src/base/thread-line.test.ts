import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { StillageError } from "./errors.ts";
import { ThreadLine } from "./thread-line.ts";

const { port1, port2 } = new MessageChannel();
after(() => port1.close());

const said: string[] = [];
let messages = 0;
port2.on("message", () => messages++);

const answers = {
  twice: (n: number): number => 2 * n,
  later: async (n: number): Promise<number> => n,
  note: (text: string): void => void said.push(text),
  refuse: (): never => {
    const details = { hint: "wait", retryAfterMs: 1000, violations: [{ field: "a", description: "b" }] };
    throw new StillageError("unavailable", "full", { ...details, cause: new Error("underneath") });
  },
  uncopied: (): unknown => () => {},
};
new ThreadLine<Record<never, never>>(port2, answers);
const line = new ThreadLine<typeof answers>(port1, {});

test("what is said in one turn goes in one message, and is heard in its order", async () => {
  messages = 0;
  line.tell("note", "one");
  const asked = [line.ask("twice", 3), line.ask("later", 4)];
  line.tell("note", "two");
  assert.deepEqual(await Promise.all(asked), [6, 4]);
  assert.deepEqual([said, messages], [["one", "two"], 1]);
});

test("an error comes over whole, with the stack of what is underneath", async () => {
  const error = await line.ask("refuse").then(assert.fail, (reason: StillageError) => reason);
  assert.ok(error instanceof StillageError);
  const { code, message, hint, retryAfterMs, violations, cause } = error;
  assert.deepEqual(
    { code, message, hint, retryAfterMs },
    { code: "unavailable", message: "full", hint: "wait", retryAfterMs: 1000 },
  );
  assert.deepEqual(violations, [{ field: "a", description: "b" }]);
  assert.match((cause as Error).stack ?? "", /underneath/);
});

test("what cannot be copied fails alone, as a question and as an answer", async () => {
  const bad = line.ask("later", (() => {}) as unknown as number);
  const good = line.ask("twice", 1);
  await assert.rejects(bad, { code: "internal" });
  assert.equal(await good, 2);
  const [uncopied, copied] = [line.ask("uncopied"), line.ask("twice", 2)];
  await assert.rejects(uncopied, { code: "internal" });
  assert.equal(await copied, 4);
});

test("nobody waits for an end that has gone", async () => {
  const { port1: one } = new MessageChannel();
  const lonely = new ThreadLine<typeof answers>(one, {});
  const waiting = lonely.ask("twice", 1);
  lonely.close(new StillageError("unavailable", "gone"));
  await assert.rejects(waiting, { code: "unavailable", message: "gone" });
  await assert.rejects(lonely.ask("twice", 1), { code: "unavailable" });
  one.close();
});
