import assert from "node:assert/strict";
import { test } from "node:test";
import { serialize } from "node:v8";
import fc from "fast-check";
import { BodyQueue } from "./body-queue.ts";
import type { Outbox } from "./outbox.ts";
import type { Lender } from "./stream.ts";

/** Copies what is moved, and tells lenders at once. */
class Copied {
  readonly chunks: Buffer[] = [];
  length = 0;

  piece(bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
    this.length += end - start;
  }

  notify(lender: Lender): void {
    lender.sent?.();
  }

  get outbox(): Outbox {
    return this as unknown as Outbox;
  }
}

test("a queue that is never empty holds no more than what has not left", () => {
  const queue = new BodyQueue();
  const size = 1000;
  const messages = 5000;
  const copied = new Copied();
  queue.push(Buffer.alloc(5), [Buffer.alloc(size)], size + 5, {});
  for (let i = 0; i < messages; i++) {
    queue.push(Buffer.alloc(5), [Buffer.alloc(size)], size + 5, {});
    queue.moveTo(copied.outbox, size + 5);
  }
  assert.equal(queue.bytes, size + 5);
  const held = serialize(queue).length;
  assert.ok(held < 4 * size, `${held} bytes held`);
});

test("whatever is pushed and moved by turns leaves whole and in order, and each lender is told once its parts have left", () => {
  const message = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 });
  const step = fc.record({ message, move: fc.double({ min: 0, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new BodyQueue();
      const copied = new Copied();
      const sent: Uint8Array[] = [];
      const told: number[] = [];
      let pushed = 0;
      for (const [i, { message: parts, move }] of steps.entries()) {
        const first = Buffer.from([i]);
        const bytes = parts.reduce((sum, part) => sum + part.length, 1);
        pushed += bytes;
        const end = pushed;
        queue.push(first, parts, bytes, {
          sent: () => {
            assert.ok(copied.length >= end);
            told.push(i);
          },
        });
        sent.push(first, ...parts);
        queue.moveTo(copied.outbox, Math.floor(queue.bytes * move));
      }
      queue.moveTo(copied.outbox, queue.bytes);
      assert.deepEqual(Buffer.concat(copied.chunks), Buffer.concat(sent));
      assert.deepEqual(told, [...steps.keys()]);
    }),
  );
});
