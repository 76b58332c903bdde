import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { test } from "node:test";
import { TestServer } from "./server.fixture.ts";
import type { Method } from "./service.ts";

const size = 1 << 20;
const calls = 40;
const limits = { responseMemoryBytes: 8 << 20 };
const message = Buffer.from([0, 0, 0, 0, 1, 7]);

/** Counts how many calls run, and lets them go on when it is opened. */
class Gate {
  runs = 0;
  private opened = Promise.withResolvers<void>();

  async pass(): Promise<void> {
    this.runs++;
    await this.opened.promise;
  }

  open(): void {
    this.opened.resolve();
  }

  shut(): void {
    this.runs = 0;
    this.opened = Promise.withResolvers();
  }
}

function open(session: ClientHttp2Session, method: string): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": `/test.Service/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(message);
  return stream;
}

async function lengthOf(stream: ClientHttp2Stream): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += (chunk as Buffer).length;
  return length;
}

/** Resolves once the server has dealt with what was sent before: a client of Node sends bodies some turns after headers and pings. */
async function settled(session: ClientHttp2Session): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => session.ping(resolve));
}

/** Opens many calls of a client that does not read, checks how many run, then reads them all. */
async function heldBack(method: (gate: Gate) => Method, prime: boolean): Promise<void> {
  const gate = new Gate();
  await using server = await TestServer.start({ Large: method(gate) }, { limits });
  const session = connect(`http://${server.address}`, { settings: { initialWindowSize: 1000 } });
  try {
    await once(session, "connect");
    if (prime) {
      gate.open();
      await lengthOf(open(session, "Large"));
      gate.shut();
    }
    const streams = Array.from({ length: calls }, () => open(session, "Large"));
    await settled(session);
    assert.ok(gate.runs >= 8 && gate.runs <= 10, `${gate.runs} ran`);
    gate.open();
    await Promise.all(streams.slice(0, 8).map((stream) => once(stream, "response")));
    assert.ok(gate.runs <= 10, `${gate.runs} ran`);
    // Some give up, among them those that wait; the others get theirs.
    for (const stream of [...streams.splice(0, 4), ...streams.splice(-4)]) stream.close(8);
    assert.deepEqual(await Promise.all(streams.map(lengthOf)), new Array(calls - 8).fill(size + 5));
  } finally {
    session.destroy();
  }
}

test("responses that are being made count like those that wait to be read", async () => {
  await heldBack(
    (gate) => ({
      kind: "unary",
      maxReplyBytes: size,
      handle: async () => {
        await gate.pass();
        return { parts: [Buffer.alloc(size)] };
      },
    }),
    false,
  );
});

test("streams with long messages begin only when there is room for the first of them", async () => {
  await heldBack(
    (gate) => ({
      kind: "stream",
      handle: async (stream) => {
        await gate.pass();
        await stream.send({ parts: [Buffer.alloc(size)] });
      },
    }),
    true,
  );
});

test("a call that fails makes room for the next, and short calls run whatever is being made", async () => {
  const gate = new Gate();
  const short = new Gate();
  let failed = 0;
  await using server = await TestServer.start(
    {
      Large: {
        kind: "unary",
        maxReplyBytes: size,
        handle: async () => {
          await gate.pass();
          failed++;
          throw new Error("not this time");
        },
      },
      Short: {
        kind: "unary",
        handle: async () => {
          await short.pass();
          return { parts: [Buffer.alloc(100)] };
        },
      },
    },
    { limits },
  );
  const session = connect(`http://${server.address}`);
  try {
    await once(session, "connect");
    const large = Array.from({ length: calls }, () => lengthOf(open(session, "Large")));
    const others = Array.from({ length: calls }, () => lengthOf(open(session, "Short")));
    await settled(session);
    assert.ok(gate.runs <= 10, `${gate.runs} ran`);
    assert.equal(short.runs, calls);
    short.open();
    await Promise.all(others);
    gate.open();
    await Promise.all(large);
    assert.equal(failed, calls);
  } finally {
    session.destroy();
  }
});
