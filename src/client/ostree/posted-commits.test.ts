import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type ConnectProxyOptions, startConnectProxy } from "../../base/connect-proxy.fixture.ts";
import { CommitPost } from "./posted-commits.ts";

const { signal } = new AbortController();

/** Far shorter than any that is used, and far longer than a server on this machine needs. */
const limits = { smallMs: 500, takeMs: 300, writtenMs: 300, setMs: 20_000, aliveMs: 50 };

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server that answers questions, and the other requests as it is told: the objects, whose body it leaves unread, and the refs. */
async function serve(context: TestContext, answers: { objects?: Answer; refs?: Answer; checks?: Answer }) {
  const server = createServer(async (request, response) => {
    if (request.url === "/objects") return answers.objects?.(request, response, "");
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    if (!body.includes('"check":true')) return answers.refs?.(request, response, body);
    if (answers.checks) answers.checks(request, response, body);
    else response.end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return new CommitPost(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), {}, limits);
}

/** More than the system takes on behalf of a server that reads nothing. */
async function* archive(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(1 << 16);
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

const push = (post: CommitPost, bytes = 1 << 16) => post.push(["a/b/c"], "0".repeat(64), archive(bytes), signal);

const written: Answer = (request, response) => request.resume().on("end", () => response.end('{"detached":{}}'));

test("a server that says nothing is given up, wherever it begins to", async (context) => {
  const silent: Answer = () => {};
  const mute = await serve(context, { checks: silent });
  assert.equal((await mute.refusal(signal))?.code, "deadline");
  await assert.rejects(push(await serve(context, { objects: silent }), 64 << 20), { code: "deadline" });
  const forgetful: Answer = (request) => request.resume();
  await assert.rejects(push(await serve(context, { objects: forgetful })), { code: "deadline" });
});

test("a server that looks at many commits is waited for as long as it answers beside that, and no longer", async (context) => {
  let checks = 0;
  let set: ServerResponse | undefined;
  const refs: Answer = (_, response) => {
    set = response;
  };
  const busy: Answer = (_, response) => {
    response.end("{}");
    if (++checks === 4) set?.end("{}");
  };
  await push(await serve(context, { objects: written, refs, checks: busy }));
  assert.equal(checks, 4);
  const gone: Answer = (_, response) => {
    if (checks++ === 4) response.end("{}");
  };
  await assert.rejects(push(await serve(context, { objects: written, refs, checks: gone })), { code: "deadline" });
});

test("what is no answer of ours is an error that says so", async (context) => {
  const page: Answer = (request, response) => request.resume().on("end", () => response.end("<html>"));
  await assert.rejects(push(await serve(context, { objects: page })), {
    code: "failed-precondition",
    message: /no server of ours/,
  });
  const refusing = await serve(context, { checks: (_, response) => response.writeHead(405).end("<html>") });
  assert.equal((await refusing.refusal(signal))?.code, "unsupported");
});

test("a proxy that refuses, or says nothing, is told as such", async () => {
  const refusal = async (url: string, options: ConnectProxyOptions) => {
    await using started = await startConnectProxy(options);
    const [host = "", port] = started.address.split(":");
    const proxy = { host, port: Number(port), credentials: undefined, shown: "http://proxy" };
    const found = await new CommitPost(new URL(url), { proxy }, limits).refusal(signal);
    return [found?.code, found?.hint !== undefined];
  };
  const [plain, secure] = ["http://host.invalid/", "https://host.invalid/"];
  assert.deepEqual(await refusal(plain, { credentials: "me:pass" }), ["unauthenticated", true]);
  assert.deepEqual(await refusal(secure, { credentials: "me:pass" }), ["unauthenticated", true]);
  assert.deepEqual(await refusal(secure, { refuses: 403 }), ["forbidden", false]);
  assert.deepEqual(await refusal(secure, { refuses: 503 }), ["unavailable", false]);
  assert.deepEqual(await refusal(secure, { silent: true }), ["deadline", false]);
});
