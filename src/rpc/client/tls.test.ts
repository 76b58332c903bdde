import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { startConnectProxy } from "../../base/connect-proxy.fixture.ts";
import { grpcStatus } from "../status.ts";
import { type ChannelOptions, connect } from "./channel.ts";
import { RpcError } from "./rpc-error.ts";

const folder = mkdtempSync(join(tmpdir(), "stillage-rpc-client-"));

/** A self-signed certificate: its own authority. */
function selfSigned(name: string): { readonly cert: Buffer; readonly key: Buffer } {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  execFileSync("openssl", [...words, "-keyout", key, "-out", cert, ...names], { stdio: "ignore" });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const echo = { same: { path: "/test.Echo/Same", requestStream: false, responseStream: false, ...codec } };

const [server, client, stranger] = ["localhost", "client", "stranger"].map(selfSigned) as [
  ReturnType<typeof selfSigned>,
  ReturnType<typeof selfSigned>,
  ReturnType<typeof selfSigned>,
];
const secure = new grpc.Server();
const local = new grpc.Server();
const socket = `unix:${join(folder, "socket")}`;
let url: string;

const bind = (to: grpc.Server, address: string, credentials: grpc.ServerCredentials): Promise<number> => {
  to.addService(echo, {
    same: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => done(null, call.request),
  });
  return new Promise((resolve, reject) => {
    to.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
};

before(async () => {
  const pair = { cert_chain: server.cert, private_key: server.key };
  url = `grpcs://localhost:${await bind(secure, "localhost:0", grpc.ServerCredentials.createSsl(client.cert, [pair], true))}`;
  await bind(local, socket, grpc.ServerCredentials.createInsecure());
});

after(() => {
  secure.forceShutdown();
  local.forceShutdown();
  rmSync(folder, { recursive: true });
});

/** The status of one call over a connection of its own. */
async function statusWith(options: ChannelOptions, to = url): Promise<number> {
  const channel = connect(to, options);
  try {
    await channel.unary("test.Echo/Same", Uint8Array.of(1));
    return grpcStatus.ok;
  } catch (error) {
    assert(error instanceof RpcError);
    return error.code;
  } finally {
    channel.destroy();
  }
}

test("a server that shows the certificate expected answers a client that shows its own", async () => {
  assert.equal(await statusWith({ ca: server.cert, ...client }), grpcStatus.ok);
});

test("an unknown server, an unknown client and another name are UNAVAILABLE", async () => {
  assert.equal(await statusWith({ ...client }), grpcStatus.unavailable);
  assert.equal(await statusWith({ ca: server.cert, ...stranger }), grpcStatus.unavailable);
  assert.equal(await statusWith({ ca: server.cert, ...client, serverName: "elsewhere" }), grpcStatus.unavailable);
  assert.equal(await statusWith({}, url.replace("grpcs:", "grpc:")), grpcStatus.unavailable);
});

test("the end of the server's certificate is known once it was seen", async () => {
  const channel = connect(url, { ca: server.cert, ...client });
  assert.equal(channel.certificateEnd, undefined);
  await channel.unary("test.Echo/Same", Uint8Array.of(1));
  assert.equal(channel.certificateEnd, Date.parse(new X509Certificate(server.cert).validTo));
  channel.destroy();
});

test("a Unix socket", async () => {
  assert.equal(await statusWith({}, socket), grpcStatus.ok);
});

test("through a proxy the server is trusted as without, and shown no less", async () => {
  await using started = await startConnectProxy();
  const [host = "", port] = started.address.split(":");
  const proxy = { host, port: Number(port), credentials: undefined, shown: "http://proxy" };
  assert.equal(await statusWith({ ca: server.cert, ...client, proxy }), grpcStatus.ok);
  assert.equal(await statusWith({ ...client, proxy }), grpcStatus.unavailable);
  assert.equal(await statusWith({ ca: server.cert, ...stranger, proxy }), grpcStatus.unavailable);
  assert.equal(
    await statusWith({ ca: server.cert, ...client, proxy, serverName: "elsewhere" }),
    grpcStatus.unavailable,
  );
  const channel = connect(url, { ca: server.cert, ...client, proxy });
  await channel.unary("test.Echo/Same", Uint8Array.of(1));
  assert.equal(channel.certificateEnd, Date.parse(new X509Certificate(server.cert).validTo));
  channel.destroy();
  assert.deepEqual(new Set(started.asked), new Set([`CONNECT ${new URL(url).host}`]));
});
