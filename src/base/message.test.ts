import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { enums, flag, int, MessageType, message, messages, text } from "./message.ts";
import { tagOf, wireBytes, wireVarint } from "./protobuf.ts";

const part = new MessageType("test.Part", { name: text(1), size: int(2) });
const whole = new MessageType("test.Whole", {
  part: message(1, part),
  parts: messages(2, part),
  on: flag(3),
  kinds: enums(4),
});

test("pieces of one message are joined, and lists of numbers packed or not", () => {
  const piece = (values: { name?: string; size?: number }): number[] => {
    const bytes = part.encode(values);
    return [tagOf(1, wireBytes), bytes.length, ...bytes];
  };
  const kinds = [tagOf(4, wireBytes), 2, 7, 8, tagOf(4, wireVarint), 9];
  const read = whole.decode(Uint8Array.from([...piece({ name: "a", size: 1 }), ...kinds, ...piece({ size: 2 })]));
  assert.deepEqual(read, { part: { name: "a", size: 2 }, parts: [], on: false, kinds: [7, 8, 9] });
});

test("a negative number is none that anything here can be", () => {
  const minusOne = [...Array.from({ length: 9 }, () => 0xff), 1];
  assert.equal(part.decode(Uint8Array.from([tagOf(2, wireVarint), ...minusOne])).size, -1);
  for (const size of [-1, 0.5, 2 ** 60]) assert.throws(() => part.encode({ size }), { code: "invalid" });
});

test("more fields than are allowed are refused, wherever they are", () => {
  const fields = whole.encode({ part: { name: "a", size: 1 }, parts: [{ name: "b", size: 2 }], kinds: [1, 2] });
  assert.equal(whole.decode(fields, 8).parts.length, 1);
  assert.throws(() => whole.decode(fields, 7), { code: "invalid", message: /more than 7 fields/ });
  assert.throws(() => whole.decode(Uint8Array.from([tagOf(4, wireBytes), 9, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 5), {
    code: "invalid",
  });
});

test("what is no such message is refused", () => {
  for (const bytes of [
    [tagOf(1, wireBytes), 5, 1], // cut short
    [tagOf(1, wireBytes), 3, tagOf(1, wireBytes), 1, 0xff], // no UTF-8
    [tagOf(9, 3)], // a group without an end
    [tagOf(4, wireBytes), 1, 0x80], // a number that goes on behind its list
  ]) {
    assert.throws(() => whole.decode(Uint8Array.from(bytes)), { code: "invalid", message: /no test\.Whole/ });
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        whole.decode(bytes, 20);
      } catch (error) {
        assert.equal((error as { code: string }).code, "invalid");
      }
    }),
  );
});
