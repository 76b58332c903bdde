import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frame, MessageReader } from "./framing.ts";
import { RpcError } from "./rpc-error.ts";

const framed = (...message: Uint8Array[]): Buffer => Buffer.concat(frame(message));

test("messages come out as they went in, however the bytes are cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 50 }), (sent, step) => {
      const bytes = Buffer.concat(sent.map((each) => framed(each)));
      const reader = new MessageReader(100);
      const received: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += step) received.push(...reader.take(bytes.subarray(at, at + step)));
      assert.deepEqual(received, sent);
      assert.equal(reader.between, true);
    }),
  );
});

test("a message that is cut short is noticed", () => {
  const reader = new MessageReader(100);
  assert.deepEqual([...reader.take(framed(new Uint8Array(9)).subarray(0, 8))], []);
  assert.equal(reader.between, false);
});

test("a long message and a compressed one are refused", () => {
  const take = (bytes: Uint8Array) => [...new MessageReader(100).take(bytes)];
  assert.throws(() => take(framed(new Uint8Array(101))), RpcError);
  assert.throws(() => take(Uint8Array.of(1, 0, 0, 0, 0)), RpcError);
});

test("a message in parts is that of all its bytes, and a large part is not copied", () => {
  const [head, small, large] = [Uint8Array.of(1, 2), Uint8Array.of(3), new Uint8Array(100_000).fill(4)];
  assert.deepEqual([...new MessageReader(100).take(framed(head, small))], [Uint8Array.of(1, 2, 3)]);
  assert.equal(frame([head, large])[2], large);
  assert.deepEqual([...new MessageReader(1 << 20).take(framed(head, large))][0]?.length, 100_002);
});
