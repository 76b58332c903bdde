import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StillageError } from "../base/errors.ts";
import type { ServerStream } from "../http2/stream.ts";
import { type Message, MessageMemory } from "./message-memory.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";

const windowBytes = 1000;

/** The windows of a stream, without the stream. */
class Window implements ServerStream {
  readonly queued = 0;
  receiveWindow = windowBytes;

  grant(bytes: number): void {
    this.receiveWindow += bytes;
  }

  headers(): void {}
  write(): void {}
  end(): void {}
  wakeAt(): void {}
  reset(): void {}
}

class Collected implements MessageSink {
  readonly messages: Message[] = [];
  error: StillageError | undefined;

  message(message: Message): void {
    this.messages.push(message);
  }

  failed(error: StillageError): void {
    this.error = error;
  }
}

function framed(body: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** Sends as a client does: never more than the window, in pieces of the sizes given. Returns what could not be sent. */
function send(reader: MessageReader, window: Window, bytes: Buffer, size: () => number): Buffer {
  let at = 0;
  while (at < bytes.length && window.receiveWindow > 0) {
    const length = Math.min(size(), bytes.length - at, window.receiveWindow);
    window.receiveWindow -= length;
    reader.push(Buffer.concat([Buffer.alloc(3), bytes.subarray(at, at + length), Buffer.alloc(3)]), 3, 3 + length);
    at += length;
  }
  return bytes.subarray(at);
}

test("messages are the same however the body is cut, and the client never has to wait for a grant", () => {
  const bodies = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ minLength: 2000, maxLength: 9000 })),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(bodies, fc.infiniteStream(fc.integer({ min: 1, max: 3000 })), (sent, sizes) => {
      const window = new Window();
      const collected = new Collected();
      const memory = new MessageMemory(1 << 20).connection();
      const reader = new MessageReader(window, collected, memory, 10_000);
      const rest = send(
        reader,
        window,
        Buffer.concat(sent.map((body) => framed(body))),
        () => sizes.next().value as number,
      );
      assert.equal(rest.length, 0);
      assert.equal(reader.betweenMessages, true);
      assert.deepEqual(
        collected.messages.map(({ bytes }) => new Uint8Array(bytes)),
        sent,
      );
      for (const message of collected.messages) memory.release(message);
      assert.equal(memory.reserved, 0);
    }),
  );
});

test("a long message waits for its share of the budget, and goes on when it has it", () => {
  const memory = new MessageMemory(10_000).connection();
  const [first, second] = [new Window(), new Window()] as const;
  const [one, two] = [new Collected(), new Collected()] as const;
  const a = new MessageReader(first, one, memory, 1 << 20);
  const b = new MessageReader(second, two, memory, 1 << 20);
  const body = Buffer.from(Array.from({ length: 8000 }, (_, i) => i % 251));
  assert.equal(send(a, first, framed(body).subarray(0, 4000), () => 700).length, 0);
  const rest = send(b, second, framed(body), () => 700);
  assert.equal(rest.length, 8005 - windowBytes);
  send(a, first, framed(body).subarray(4000), () => 700);
  assert.equal(one.messages.length, 1);
  assert.equal(second.receiveWindow, 0);
  memory.release(one.messages[0] as Message);
  assert.equal(send(b, second, rest, () => 700).length, 0);
  assert.deepEqual(two.messages[0]?.bytes, body);
});

test("however little memory there is, all messages of all streams arrive", () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 5000 }), { minLength: 1, maxLength: 5 });
  const streams = fc.array(bodies, { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(
      streams,
      fc.nat(12_000),
      fc.infiniteStream(fc.integer({ min: 1, max: 1500 })),
      (sent, budget, sizes) => {
        const memory = new MessageMemory(budget).connection();
        const clients = sent.map((each) => {
          const window = new Window();
          const collected = new Collected();
          const reader = new MessageReader(window, collected, memory, 10_000);
          return { window, collected, reader, rest: Buffer.concat(each.map((body) => framed(body))), released: 0 };
        });
        for (let progress = true; progress; ) {
          progress = false;
          for (const client of clients) {
            const before = client.rest.length;
            const size = Math.min(before, sizes.next().value as number);
            const unsent = send(client.reader, client.window, client.rest.subarray(0, size), () => 700);
            client.rest = client.rest.subarray(size - unsent.length);
            for (const message of client.collected.messages.slice(client.released)) {
              client.released++;
              client.reader.received(message.bytes.length);
              memory.release(message);
            }
            if (client.rest.length < before) progress = true;
          }
        }
        for (const [i, { collected }] of clients.entries()) assert.equal(collected.messages.length, sent[i]?.length);
        assert.equal(memory.reserved, 0);
      },
    ),
  );
});

test("a reader that stops while it waits lets others pass", () => {
  const memory = new MessageMemory(10_000).connection();
  const windows = [new Window(), new Window(), new Window()] as const;
  const readers = windows.map((window) => new MessageReader(window, new Collected(), memory, 1 << 20));
  for (const [i, reader] of readers.entries())
    send(reader, windows[i] as Window, framed(Buffer.alloc(9000)).subarray(0, 900), () => 900);
  readers[1]?.stop();
  readers[0]?.stop();
  assert.ok(windows[2].receiveWindow > 8000, `${windows[2].receiveWindow}`);
});

test("messages that nobody receives keep the client from sending on", () => {
  const window = new Window();
  const collected = new Collected();
  const reader = new MessageReader(window, collected, new MessageMemory(1 << 24).connection(), 1 << 20);
  const body = Buffer.alloc(600_000);
  const rest = send(reader, window, Buffer.concat([framed(body), framed(body), framed(body)]), () => 900);
  assert.equal(collected.messages.length, 2);
  assert.ok(rest.length > 500_000);
  reader.received(body.length);
  assert.equal(send(reader, window, rest, () => 900).length, 0);
});

test("messages of no length keep the client from sending on as well", () => {
  const window = new Window();
  const collected = new Collected();
  const reader = new MessageReader(window, collected, new MessageMemory(1 << 24).connection(), 1 << 20);
  const rest = send(reader, window, Buffer.alloc(5 * 20_000), () => 900);
  const { length } = collected.messages;
  assert.ok(length > 4000 && length < 5000, `${length} messages taken`);
  for (let i = 0; i < length; i++) reader.received(0);
  assert.ok(send(reader, window, rest, () => 900).length < rest.length);
});

test("bad framing is refused, and nothing is read after it", () => {
  const table: [bytes: Buffer, code: string][] = [
    [framed(Buffer.alloc(3), 2), "invalid"],
    [framed(Buffer.alloc(3), 255), "invalid"],
    [framed(Buffer.alloc(101)), "exhausted"],
    [Buffer.from("00ffffffff", "hex"), "exhausted"],
  ];
  for (const [bytes, code] of table) {
    const collected = new Collected();
    const reader = new MessageReader(new Window(), collected, new MessageMemory(1000).connection(), 100);
    const all = Buffer.concat([framed(Buffer.alloc(100)), bytes, framed(Buffer.alloc(1))]);
    reader.push(all, 0, all.length);
    assert.equal(collected.error?.code, code);
    assert.equal(collected.messages.length, 1);
  }
});
