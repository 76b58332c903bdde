import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { frame, MessageReader } from "./framing.ts";
import { RpcError } from "./rpc-error.ts";

test("messages come out as they went in, however the bytes are cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 50 }), (sent, step) => {
      const bytes = Buffer.concat(sent.map(frame));
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
  assert.deepEqual([...reader.take(frame(new Uint8Array(9)).subarray(0, 8))], []);
  assert.equal(reader.between, false);
});

test("a long message and a compressed one are refused", () => {
  const take = (bytes: Uint8Array) => [...new MessageReader(100).take(bytes)];
  assert.throws(() => take(frame(new Uint8Array(101))), RpcError);
  assert.throws(() => take(Uint8Array.of(1, 0, 0, 0, 0)), RpcError);
});
