import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageMemory, type Waiter } from "./message-memory.ts";

class Note implements Waiter {
  got = false;

  granted(): void {
    this.got = true;
  }
}

test("the budget is given out in the order of asking, and not overdrawn", () => {
  const connection = new MessageMemory(100).connection();
  const [a, b, c, d] = [new Note(), new Note(), new Note(), new Note()] as const;
  assert.equal(connection.reserve(60, a), true);
  assert.equal(connection.reserve(50, b), false);
  // 40 would fit, but b was first.
  assert.equal(connection.reserve(40, c), false);
  assert.equal(connection.reserve(10, d), false);
  connection.leave(b);
  assert.deepEqual([b.got, c.got, d.got], [false, true, false]);
  connection.unreserve(60);
  assert.equal(d.got, true);
  assert.equal(connection.reserved, 50);
});

test("a connection that has nothing gets one message's share, whatever others hold", () => {
  const memory = new MessageMemory(100);
  const [greedy, modest] = [memory.connection(), memory.connection()];
  const [a, b, c, d] = [new Note(), new Note(), new Note(), new Note()] as const;
  assert.equal(greedy.reserve(500, a), true);
  assert.equal(greedy.reserve(10, b), false);
  assert.equal(modest.reserve(40, c), true);
  assert.equal(modest.reserve(40, d), false);
  modest.unreserve(40);
  assert.deepEqual([b.got, d.got], [false, true]);
  greedy.unreserve(500);
  assert.equal(b.got, true);
});
