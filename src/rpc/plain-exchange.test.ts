import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { test } from "node:test";
import type { HttpHandler, HttpRequest } from "../http/exchange.ts";
import type { Limits } from "./limits.ts";
import { TestServer } from "./server.fixture.ts";

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [received] = (await once(stream, "response")) as [IncomingHttpHeaders];
  return { headers: received, body: await read(stream) };
}

async function read(stream: ClientHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function withHttp(
  http: HttpHandler | undefined,
  use: (session: ClientHttp2Session) => Promise<void>,
  limits: Partial<Limits> = {},
): Promise<void> {
  await using server = await TestServer.start({}, http === undefined ? { limits } : { http, limits });
  const session = connect(`http://${server.address}`);
  try {
    await use(session);
  } finally {
    session.destroy();
  }
}

async function* pieces(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
}

test("requests arrive whole and responses go back", async () => {
  let seen: HttpRequest | undefined;
  await withHttp(
    async (request) => {
      seen = request;
      const chunks: Buffer[] = [];
      for (let piece = await request.receive(); piece !== undefined; piece = await request.receive())
        chunks.push(Buffer.from(piece));
      return { status: 201, headers: { "x-answer": "42" }, body: Buffer.concat(chunks) };
    },
    async (session) => {
      const body = Buffer.alloc(3_000_000, "body");
      const answer = await ask(
        session,
        { ":method": "PUT", ":path": "/a%20b/c?x=1&y=%C3%A4", "x-a": ["1", "2"], cookie: ["a=1", "b=2"] },
        body,
      );
      assert.deepEqual(
        [answer.headers[":status"], answer.headers["x-answer"], answer.headers["content-length"]],
        [201, "42", "3000000"],
      );
      assert.deepEqual(answer.body, body);
      assert.deepEqual([seen?.method, seen?.path, seen?.query.get("y")], ["PUT", "/a%20b/c", "ä"]);
      assert.deepEqual(
        [seen?.headers["x-a"], seen?.headers.cookie, seen?.headers.toString],
        ["1, 2", "a=1; b=2", undefined],
      );
      assert.match(seen?.headers.host ?? "", /^127\.0\.0\.1:/);
      assert.equal(seen?.headers[":path"], undefined);
    },
  );
});

test("bodies of all kinds are sent, and HEAD gets none", async () => {
  const http: HttpHandler = ({ path }) => {
    if (path === "/stream") return { status: 200, headers: {}, body: pieces(50, 100_000) };
    if (path === "/empty") return { status: 200, headers: {}, body: Buffer.alloc(0) };
    if (path === "/none") return { status: 304, headers: { etag: '"x"' } };
    return { status: 200, headers: { "content-type": "text/plain" }, body: Buffer.alloc(200_000, 1) };
  };
  await withHttp(http, async (session) => {
    const stream = await ask(session, { ":path": "/stream" });
    assert.equal(stream.body.length, 5_000_000);
    assert.equal(stream.headers["content-length"], undefined);
    assert.ok(stream.body.every((byte, i) => byte === Math.floor(i / 100_000)));
    const head = await ask(session, { ":method": "HEAD", ":path": "/" });
    assert.deepEqual([head.headers["content-length"], head.body.length], ["200000", 0]);
    assert.deepEqual((await ask(session, { ":path": "/" })).body, Buffer.alloc(200_000, 1));
    assert.equal((await ask(session, { ":path": "/empty" })).headers["content-length"], "0");
    assert.equal((await ask(session, { ":path": "/none" })).headers[":status"], 304);
  });
});

test("an answer comes when the client has said everything, all that it may, or asks for it", async () => {
  const answers: string[] = [];
  const http: HttpHandler = ({ path }) => ({ status: 200, headers: {}, body: Buffer.from(path) });
  await withHttp(http, async (session) => {
    const post = (path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream => {
      const stream = session.request({ ":method": "POST", ":path": path, ...headers });
      stream.on("response", () => answers.push(path));
      stream.resume();
      return stream;
    };
    const patient = post("/patient");
    patient.write(Buffer.alloc(1000));
    const asking = post("/asking", { expect: "100-continue" });
    await once(asking, "response");
    const long = post("/long");
    long.write(Buffer.alloc(1_000_000));
    await once(long, "response");
    assert.deepEqual(answers, ["/asking", "/long"]);
    patient.end();
    await once(patient, "response");
  });
});

test("a client that never says everything gets its answer in the end", async () => {
  const http: HttpHandler = () => ({ status: 404, headers: {} });
  await withHttp(
    http,
    async (session) => {
      const stream = session.request({ ":method": "POST", ":path": "/" });
      stream.write(Buffer.alloc(1000));
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      assert.equal(headers[":status"], 404);
    },
    { unheardBodyMs: 1 },
  );
});

test("a handler that fails gives a 500, one that fails in the middle resets the stream", async () => {
  const http: HttpHandler = async ({ path }) => {
    if (path === "/now") throw new Error("secret");
    return {
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.alloc(10);
        throw new Error("secret");
      })(),
    };
  };
  await withHttp(http, async (session) => {
    const now = await ask(session, { ":path": "/now" });
    assert.deepEqual([now.headers[":status"], String(now.body)], [500, "internal error\n"]);
    await assert.rejects(ask(session, { ":path": "/later" }), { code: "ERR_HTTP2_STREAM_ERROR" });
  });
});

test("a client that goes away is noticed wherever the handler is", async () => {
  const heard: string[] = [];
  let done = Promise.withResolvers<void>();
  const http: HttpHandler = async (request) => {
    try {
      if (request.path === "/receive") while ((await request.receive()) !== undefined);
      if (request.path === "/signal") {
        await once(request.signal, "abort");
        throw request.signal.reason;
      }
    } catch (error) {
      heard.push(`${request.path} ${(error as Error).message}`);
      done.resolve();
      throw error;
    }
    const body = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(100_000);
      } finally {
        heard.push(request.path);
        done.resolve();
      }
    };
    return { status: 200, headers: {}, body: body() };
  };
  for (const path of ["/signal", "/receive", "/body"]) {
    done = Promise.withResolvers();
    await withHttp(http, async (session) => {
      await once(session, "connect");
      const stream = session.request({ ":path": path, ":method": "POST" });
      stream.on("error", () => {});
      if (path === "/body") {
        stream.end();
        await once(stream, "response");
      } else await new Promise((resolve) => session.ping(resolve));
      session.destroy();
      await done.promise;
    });
  }
  assert.equal(heard.length, 3);
});

test("without a handler, and with headers beyond the limit, the status says so", async () => {
  await withHttp(undefined, async (session) => {
    assert.equal((await ask(session, { ":path": "/" })).headers[":status"], 415);
  });
  await withHttp(
    () => ({ status: 200, headers: {} }),
    async (session) => {
      assert.equal((await ask(session, { ":path": "/", "x-large": "y".repeat(2000) })).headers[":status"], 431);
    },
    { maxHeaderListBytes: 1000 },
  );
});
