import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { StillageError } from "../../base/errors.ts";
import { TestServer } from "../../rpc/server.fixture.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { openChannel } from "./channel.ts";
import { NotGrpc } from "./not-grpc.ts";
import { openRemote } from "./open-remotes.ts";
import { withRetries } from "./retries.ts";

const folder = mkdtempSync(join(tmpdir(), "stillage-rpc-failure-"));
const path = (name: string): string => join(folder, name);
const opened: Server[] = [];

const openssl = (...words: readonly string[]): void => void execFileSync("openssl", words, { stdio: "ignore" });

/** Makes NAME.crt and NAME.key, its own authority. */
function selfSigned(name: string): void {
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path(`${name}.key`)];
  const names = ["-out", path(`${name}.crt`), "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  openssl("req", "-x509", ...made, ...names, "-days", "2");
}

async function listen(server: Server): Promise<number> {
  opened.push(server);
  await once(server.listen(0, "localhost"), "listening");
  return (server.address() as AddressInfo).port;
}

const files = (name: string) => ({ key: readFileSync(path(`${name}.key`)), cert: readFileSync(path(`${name}.crt`)) });

before(() => {
  selfSigned("localhost");
  selfSigned("elsewhere");
  selfSigned("expired");
  const again = [
    "-in",
    path("expired.crt"),
    "-signkey",
    path("expired.key"),
    "-days",
    "-1",
    "-out",
    path("expired.crt"),
  ];
  openssl("x509", ...again);
  writeFileSync(path("token"), "secret\n");
  writeFileSync(path("no-token"), "two words\n");
});
after(() => {
  for (const server of opened) server.close();
  rmSync(folder, { recursive: true });
});

const noFiles = { serverCert: undefined, clientCert: undefined, clientKey: undefined, accessToken: undefined };

function specOf(url: string, auth: Partial<RemoteSpec["auth"]> = {}): RemoteSpec {
  const connection = {
    keepaliveSeconds: undefined,
    retryLimit: undefined,
    retryDelayMs: 1,
    requestTimeoutSeconds: undefined,
  };
  return {
    name: "cache",
    url,
    type: "all",
    push: true,
    instanceName: "",
    auth: { ...noFiles, accessTokenReloadMinutes: undefined, ...auth },
    connection,
    origin: "conf:3",
  };
}

/** What a call to it fails with. */
async function failure(url: string, auth?: Partial<RemoteSpec["auth"]>): Promise<StillageError> {
  const spec = specOf(url, auth);
  const { signal } = new AbortController();
  const channel = openChannel(spec);
  try {
    const call = (): Promise<Uint8Array> => channel.unary("test.Service/Nothing", new Uint8Array(), { signal });
    await withRetries(call, { spec, doing: "asking", signal });
  } catch (error) {
    assert.ok(error instanceof StillageError);
    return error;
  } finally {
    channel.destroy();
  }
  assert.fail("it did not fail");
}

const spokenInstead = ({ cause }: StillageError) => (cause instanceof NotGrpc ? cause.speaks : undefined);

describe("what is no gRPC server is told apart", () => {
  it("one of HTTP/1, in the clear and by TLS", async () => {
    const port = await listen(createHttp1Server((_, response) => response.end("hello")));
    const plain = await failure(`http://localhost:${port}`);
    assert.deepEqual([plain.code, spokenInstead(plain)], ["unsupported", "http/1"]);
    assert.match(plain.message, /^cache \(http:.* speaks HTTP\/1, not gRPC/);
    const byTls = await failure(`https://localhost:${port}`);
    assert.deepEqual([byTls.code, spokenInstead(byTls)], ["unsupported", "http/1"]);
    assert.match(byTls.message, /HTTP\/1 without TLS/);
  });

  it("one of HTTP/2 without gRPC", async () => {
    const server = createHttp2Server((_, response) => response.writeHead(405).end("<html>Not here</html>"));
    const error = await failure(`grpc://localhost:${await listen(server as unknown as Server)}`);
    assert.deepEqual([error.code, spokenInstead(error)], ["unsupported", "http/2"]);
  });

  it("one of TLS that is asked in the clear, and the other way round", async () => {
    const tls = await listen(createTlsServer({ ...files("localhost"), ALPNProtocols: ["h2"] }));
    const clear = await failure(`grpc://localhost:${tls}`);
    assert.deepEqual(
      [clear.code, spokenInstead(clear), clear.hint],
      ["unsupported", "tls", "write https:// or grpcs:// in its URL"],
    );
    await using server = await TestServer.start({});
    const byTls = await failure(`https://${server.address}`);
    assert.deepEqual(
      [byTls.code, spokenInstead(byTls), byTls.hint],
      ["unsupported", "http/2", "write http:// or grpc:// in its URL"],
    );
  });

  it("one of TLS without HTTP/2", async () => {
    const port = await listen(createTlsServer({ ...files("localhost") }));
    const error = await failure(`https://localhost:${port}`, { serverCert: path("localhost.crt") });
    assert.deepEqual([error.code, spokenInstead(error)], ["unsupported", "http/1"]);
    assert.match(error.message, /no HTTP\/2/);
  });
});

describe("trouble with TLS is put in words", () => {
  const shows = async (name: string): Promise<string> =>
    `https://localhost:${await listen(createTlsServer({ ...files(name), ALPNProtocols: ["h2"] }))}`;

  it("of the server's certificate", async () => {
    const unknown = await failure(await shows("localhost"));
    assert.match(unknown.message, /self-signed and not trusted/);
    assert.match(unknown.hint ?? "", /server-cert/);
    assert.match(
      (await failure(await shows("elsewhere"), { serverCert: path("elsewhere.crt") })).message,
      /for another name/,
    );
    assert.match((await failure(await shows("expired"), { serverCert: path("expired.crt") })).message, /has expired/);
  });

  it("of our own", async () => {
    const trusting = { ...files("localhost"), requestCert: true, ca: files("elsewhere").cert, ALPNProtocols: ["h2"] };
    const url = `https://localhost:${await listen(createTlsServer(trusting))}`;
    const trust = { serverCert: path("localhost.crt") };
    const none = await failure(url, trust);
    assert.match(none.message, /does not let us in: it wants a certificate of its clients.*`client-cert`/);
    const stranger = { ...trust, clientCert: path("localhost.crt"), clientKey: path("localhost.key") };
    const unknown = await failure(url, stranger);
    assert.match(unknown.message, /our certificate: it may not know that/);
    assert.match(unknown.hint ?? "", /localhost\.crt/);
  });

  it("of our own by a server that may be one of BuildStream 1.0 as well, under the URL that is configured", async () => {
    const options = { ...files("localhost"), requestCert: true, ca: files("elsewhere").cert };
    const servers = [createTlsServer({ ...options, ALPNProtocols: ["h2", "http/1.1"] }), createHttpsServer(options)];
    for (const server of servers) {
      const url = `https://localhost:${await listen(server)}`;
      const { signal } = new AbortController();
      await assert.rejects(openRemote(specOf(url, { serverCert: path("localhost.crt") }), { signal }), {
        name: "StillageError",
        message: `cache (${url}) does not let us in: it wants a certificate of its clients, which \`client-cert\` and \`client-key\` name`,
      });
    }
  });
});

describe("what cannot be reached is told by address and reason", () => {
  it("a port that nothing listens at, and a socket that is not there", async () => {
    const refused = await failure("grpc://127.0.0.1:1");
    assert.deepEqual(
      [refused.code, /^cache \(grpc:.*cannot be reached: .*ECONNREFUSED/.test(refused.message)],
      ["unavailable", true],
    );
    assert.match(refused.hint ?? "", /nothing listens/);
    assert.match((await failure(`unix:${path("nowhere")}`)).hint ?? "", /no such socket/);
  });

  it("one that closes every connection", async () => {
    const port = await listen(createServer((socket) => socket.destroy()));
    assert.equal((await failure(`grpc://localhost:${port}`)).code, "unavailable");
  });
});

describe("a configuration that cannot be used is refused before anything is sent", () => {
  const refused = (url: string, auth: Partial<RemoteSpec["auth"]>, message: RegExp): void => {
    assert.throws(
      () => openChannel(specOf(url, auth)),
      (error) => {
        assert.ok(error instanceof StillageError && error.code === "invalid");
        assert.match(error.message, message);
        assert.match(error.message, /^cache: .*conf:3/);
        return true;
      },
    );
  };

  it("secrets without TLS, half a pair, files that are not what they should be, other URLs", () => {
    refused("http://localhost", { accessToken: path("token") }, /in the clear/);
    refused("http://localhost", { serverCert: path("localhost.crt") }, /need TLS/);
    refused("https://localhost", { clientCert: path("localhost.crt") }, /belong together/);
    refused("https://localhost", { serverCert: path("none") }, /ENOENT/);
    refused("https://localhost", { serverCert: path("token") }, /not PEM/);
    refused(
      "https://localhost",
      { serverCert: path("localhost.key") },
      /localhost\.key has no certificate in it, but a private key/,
    );
    refused("https://localhost", { accessToken: path("no-token") }, /no access token/);
    refused("ftp://localhost", {}, /no URL/);
    openChannel(specOf("unix:/nowhere", { accessToken: path("token") })).destroy();
  });
});
