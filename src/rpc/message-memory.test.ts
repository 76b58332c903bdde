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
  assert.equal(greedy.reserve(150, a), true);
  assert.equal(greedy.reserve(10, b), false);
  assert.equal(modest.reserve(40, c), true);
  assert.equal(modest.reserve(40, d), false);
  modest.unreserve(40);
  assert.deepEqual([b.got, d.got], [false, true]);
  greedy.unreserve(150);
  assert.equal(b.got, true);
});

test("what is given out beyond the budget is as much again at most", () => {
  const memory = new MessageMemory(100);
  const notes = Array.from({ length: 4 }, () => new Note());
  const connections = notes.map(() => memory.connection());
  const granted = connections.map((connection, i) => connection.reserve(60, notes[i] as Note));
  assert.deepEqual(granted, [true, true, true, false]);
  connections[0]?.unreserve(60);
  assert.equal(notes[3]?.got, true);
  const alone = new MessageMemory(100).connection();
  assert.equal(alone.reserve(500, new Note()), true, "one that is larger than all comes when it is alone");
});

test("the connections of one client have half of the budget between them, and do not keep others waiting", () => {
  const memory = new MessageMemory(100);
  const [one, two] = [memory.connection("client"), memory.connection("client")];
  const [a, b, c, d] = [new Note(), new Note(), new Note(), new Note()] as const;
  assert.equal(one.reserve(30, a), true);
  assert.equal(two.reserve(10, b), true);
  assert.equal(one.reserve(20, c), false, "more than half");
  const other = memory.connection("other");
  assert.equal(other.reserve(10, d), true);
  const e = new Note();
  assert.equal(other.reserve(30, e), false, "in the order of asking");
  one.unreserve(30);
  assert.deepEqual([c.got, e.got], [true, true]);
});

test("a message of which nothing comes for long is given up; one that comes slowly is not", () => {
  const memory = new MessageMemory(100);
  const message = () => ({
    filled: 0,
    heldBack: false,
    stalls: 0,
    stalled() {
      this.stalls++;
    },
  });
  const [dead, drips, slow, held, done] = [message(), message(), message(), message(), message()];
  held.heldBack = true;
  for (const each of [dead, drips, slow, held, done]) memory.fills(each);
  memory.filled(done);
  for (let i = 0; i < 20; i++) {
    drips.filled++;
    if (i % 3 === 0) slow.filled += 16 * 1024;
    memory.check();
  }
  assert.deepEqual(
    [dead, drips, slow, held, done].map(({ stalls }) => stalls),
    [1, 1, 0, 0, 0],
  );
});

test("a client has no more than its half by having many connections", () => {
  const memory = new MessageMemory(100);
  const greedy = Array.from({ length: 10 }, () => memory.connection("greedy").reserve(20, new Note()));
  assert.deepEqual(greedy, [true, true, ...Array(8).fill(false)]);
  assert.equal(memory.connection("modest").reserve(40, new Note()), true);
});
