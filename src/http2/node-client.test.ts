import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { test } from "node:test";
import fc from "fast-check";
import { TestListener } from "./connection.fixture.ts";
import { encodeHeaders } from "./hpack-encoder.ts";

async function read(stream: ClientHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function withSession(listener: TestListener, use: (session: ClientHttp2Session) => Promise<void>): Promise<void> {
  const session = connect(`http://127.0.0.1:${listener.port}`);
  try {
    await use(session);
  } finally {
    session.close();
    await once(session, "close");
  }
}

test("nghttp2's requests of all sizes come back", async () => {
  await using listener = await TestListener.start();
  await withSession(listener, async (session) => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const body = randomBytes((i * i * 131) % 200_000);
        const stream = session.request({ ":method": "POST", ":path": `/${i}` });
        stream.end(body);
        assert.deepEqual(await read(stream), body);
      }),
    );
  });
});

test("nghttp2's header blocks are read, whatever is in them and in its table", async () => {
  await using listener = await TestListener.start(({ stream, headers }) => {
    const list = headers.fields.filter(({ name }) => name.startsWith("x-"));
    stream.headers(encodeHeaders([[":status", "200"], ...list.map(({ name, value }) => [name, value] as const)]), true);
  });
  // Small and few enough to meet again in the dynamic table.
  const name = fc.nat(40).map((i) => `x-${i}`);
  const value = fc.oneof(
    fc.nat(9).map((i) => "v".repeat(i * 20)),
    fc.string({ unit: fc.constantFrom(...'!"#%()*+,-./09:;<=>?@AZ[]^_`az{|}~\x80\xa0\xe4\xff'), maxLength: 100 }),
  );
  await withSession(listener, async (session) => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 20 }), async (sent) => {
        const stream = session.request({ ":path": "/", ...(sent as OutgoingHttpHeaders) });
        const [received] = (await once(stream, "response")) as [IncomingHttpHeaders];
        for (const [key, text] of Object.entries(sent)) assert.equal(received[key], text);
        assert.equal(Object.keys(received).filter((key) => key.startsWith("x-")).length, Object.keys(sent).length);
        stream.close();
      }),
      { numRuns: 200 },
    );
  });
});
