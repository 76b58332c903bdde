import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { StillageError } from "../base/errors.ts";
import { type HostPattern, parseHostPattern } from "../base/host-pattern.ts";
import { httpGet } from "./http-get.ts";
import type { RequestRules } from "./http-request.ts";
import { parseOriginUrl } from "./origin-url.ts";
import { selfSigned, startWebServer, type WebServer } from "./web-server.fixture.ts";

const identity = selfSigned();
let plain: WebServer;
let other: WebServer;
let secure: WebServer;

before(async () => {
  [plain, other, secure] = await Promise.all([startWebServer(), startWebServer(), startWebServer(identity)]);
  plain.on("/file", "content");
  other.on("/file", "other");
  secure.on("/file", "secret");
});
after(async () => {
  for (const each of [plain, other, secure]) await each[Symbol.asyncDispose]();
});

const local = async () => [{ address: "127.0.0.1", family: 4 }];

function optionsWith(allow: string[], more: Partial<RequestRules> = {}): RequestRules {
  const patterns = allow.map((text) => parseHostPattern(text) as HostPattern);
  return {
    rules: { allow: patterns, deny: [], resolve: local },
    userAgent: "stillage/test",
    authorities: identity.cert.toString(),
    ...more,
  };
}

const everything = optionsWith(["127.0.0.0/8"]);

async function get(
  url: string,
  headers: Record<string, string> = {},
  options = everything,
  signal = new AbortController().signal,
): Promise<string> {
  const { body } = await httpGet(parseOriginUrl(url), new Map(Object.entries(headers)), signal, options);
  body.setEncoding("utf8");
  let text = "";
  for await (const chunk of body) text += chunk;
  return text;
}

const code = (expected: string) => (error: unknown) => error instanceof StillageError && error.code === expected;

const redirect = (server: WebServer, path: string, location: string, status = 302) =>
  server.on(path, (_, response) => response.writeHead(status, { location }).end());

describe("GET", () => {
  it("asks for plain bytes, in its own name, and tells the host what the client wants it to know", async () => {
    assert.equal(await get(`${plain.url}/file?a=b#c`, { "x-token": "t", authorization: "Basic x" }), "content");
    const request = plain.requests.at(-1);
    assert.equal(request?.url, "/file?a=b");
    assert.deepEqual(request?.headers, {
      "user-agent": "stillage/test",
      accept: "*/*",
      "x-token": "t",
      authorization: "Basic x",
      host: `127.0.0.1:${plain.port}`,
      "accept-encoding": "identity",
      connection: "close",
    });
  });

  it("lets the client say who asks", async () => {
    await get(`${plain.url}/file`, { "user-agent": "Bazel" });
    assert.equal(plain.requests.at(-1)?.headers["user-agent"], "Bazel");
  });

  it("speaks TLS, and believes no certificate of an authority or a name that it should not", async () => {
    assert.equal(await get(`${secure.url}/file`), "secret");
    await assert.rejects(get(`https://127.0.0.1:${secure.port}/file`), code("forbidden"));
    const { authorities: _, ...untold } = everything;
    await assert.rejects(get(`${secure.url}/file`, {}, untold), code("forbidden"));
    await assert.rejects(get(`https://127.0.0.1:${plain.port}/file`), (error: StillageError) =>
      ["forbidden", "unavailable"].includes(error.code),
    );
    assert.equal(secure.requests.filter(({ url }) => url === "/file").length, 1);
  });

  it("keeps out of private networks", async () => {
    const before = plain.requests.length;
    const none = optionsWith([]);
    await assert.rejects(get(`${plain.url}/file`, {}, none), code("forbidden"));
    await assert.rejects(get(`http://public.example:${plain.port}/file`, {}, none), code("forbidden"));
    await assert.rejects(get(`http://[::ffff:127.0.0.1]:${plain.port}/file`, {}, none), code("forbidden"));
    await assert.rejects(get(`http://2130706433:${plain.port}/file`, {}, none), code("forbidden"));
    assert.equal(plain.requests.length, before, "nothing was asked");
  });

  it("does not follow a redirect into one", async () => {
    const rules = optionsWith([`127.0.0.1:${plain.port}`]);
    redirect(plain, "/inside", `${other.url}/file`);
    redirect(plain, "/metadata", "http://169.254.169.254/latest/meta-data/");
    redirect(plain, "/decimal", `http://2130706433:${other.port}/file`);
    redirect(plain, "/named", `http://inside.example:${other.port}/file`);
    redirect(plain, "/relative", "//[::1]/");
    const before = other.requests.length;
    for (const path of ["/inside", "/metadata", "/decimal", "/named", "/relative"]) {
      await assert.rejects(get(`${plain.url}${path}`, {}, rules), code("forbidden"));
    }
    assert.equal(other.requests.length, before, "nothing was asked");
  });

  it("connects to the address that was checked, whatever the name is said to be afterwards", async () => {
    const answers = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    let asked = 0;
    const resolve = async () => [{ address: answers[asked++] as string, family: 4 }];
    const rules = { ...optionsWith([`127.0.0.1:${plain.port}`]).rules, resolve };
    const options = { ...everything, rules };
    assert.equal(await get(`http://rebinding.example:${plain.port}/file`, {}, options), "content");
    assert.equal(asked, 1);
    assert.equal(plain.requests.at(-1)?.headers.host, `rebinding.example:${plain.port}`);
    await assert.rejects(get(`http://rebinding.example:${plain.port}/file`, {}, options), code("forbidden"));
    assert.equal(asked, 2);
  });

  it("goes through no proxy, whatever the environment says", async () => {
    const program = `
      import { get } from "node:http";
      import { httpGet } from ${JSON.stringify(new URL("./http-get.ts", import.meta.url).href)};
      import { parseHostPattern } from ${JSON.stringify(new URL("../base/host-pattern.ts", import.meta.url).href)};
      import { parseOriginUrl } from ${JSON.stringify(new URL("./origin-url.ts", import.meta.url).href)};
      const rules = { allow: [parseHostPattern("127.0.0.1")], deny: [], resolve: undefined };
      const url = parseOriginUrl("${plain.url}/file");
      const { body } = await httpGet(url, new Map(), new AbortController().signal, { rules, userAgent: "x" });
      process.stdout.write(Buffer.concat(await body.toArray()));
      get(url.url, (response) => response.pipe(process.stdout));
    `;
    other.on(`${plain.url}/file`, "from the proxy");
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      env: {
        ...process.env,
        NODE_USE_ENV_PROXY: "1",
        HTTP_PROXY: other.url,
        http_proxy: other.url,
        NO_PROXY: "",
        no_proxy: "",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    // The second request is by the ways of node:http, and shows that there is a proxy to be gone through.
    assert.equal(Buffer.concat(await child.stdout.toArray()).toString(), "contentfrom the proxy");
  });
});

describe("a redirect", () => {
  it("is followed, relative or absolute", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      redirect(plain, `/${status}`, "/file", status);
      assert.equal(await get(`${plain.url}/${status}`), "content");
    }
  });

  it("within the origin takes the client's headers along, to another origin none", async () => {
    redirect(plain, "/near", "/file");
    redirect(plain, "/far", `${other.url}/file`);
    redirect(plain, "/upgrade", `${secure.url}/file`);
    const headers = { authorization: "Basic secret", cookie: "secret", "x-token": "secret" };
    await get(`${plain.url}/near`, headers);
    assert.equal(plain.requests.at(-1)?.headers.authorization, "Basic secret");
    assert.equal(await get(`${plain.url}/far`, headers), "other");
    assert.doesNotMatch(JSON.stringify(other.requests.at(-1)?.rawHeaders), /secret/);
    assert.equal(await get(`${plain.url}/upgrade`, headers), "secret");
    assert.doesNotMatch(JSON.stringify(secure.requests.at(-1)?.rawHeaders), /secret/);
  });

  it("back to the first origin does not bring the headers back: the other one has chosen what is asked there", async () => {
    redirect(plain, "/there", `${other.url}/back`);
    redirect(other, "/back", `${plain.url}/file`);
    assert.equal(await get(`${plain.url}/there`, { authorization: "Basic secret" }), "content");
    assert.equal(other.requests.at(-1)?.headers.authorization, undefined);
    assert.equal(plain.requests.at(-1)?.headers.authorization, undefined);
  });

  const bad: [what: string, location: () => string][] = [
    ["to http from https", () => `${plain.url}/file`],
    ["to another scheme", () => "ftp://example.com/"],
    ["to a file", () => "file:///etc/passwd"],
    ["with credentials", () => "https://user:password@localhost/"],
    ["to what is no URL", () => "http://[/"],
  ];
  for (const [what, location] of bad) {
    it(`${what} is refused`, async () => {
      redirect(secure, "/bad", location());
      const before = plain.requests.length;
      await assert.rejects(get(`${secure.url}/bad`), code("forbidden"));
      assert.equal(plain.requests.length, before);
    });
  }

  it("to nowhere, and one too many, make no sense", async () => {
    plain.on("/nowhere", (_, response) => response.writeHead(302).end());
    redirect(plain, "/loop", "/loop");
    await assert.rejects(get(`${plain.url}/nowhere`), code("aborted"));
    await assert.rejects(get(`${plain.url}/loop`), code("aborted"));
    assert.equal(plain.count("/loop"), 11);
  });
});

describe("an answer", () => {
  const statuses: [status: number, code: string][] = [
    [204, "aborted"],
    [206, "aborted"],
    [304, "aborted"],
    [400, "forbidden"],
    [401, "forbidden"],
    [403, "forbidden"],
    [404, "not-found"],
    [410, "not-found"],
    [408, "deadline"],
    [418, "forbidden"],
    [429, "unavailable"],
    [500, "unavailable"],
    [503, "unavailable"],
    [504, "deadline"],
  ];
  for (const [status, expected] of statuses) {
    it(`of ${status} is ${expected}`, async () => {
      plain.on("/status", (_, response) => response.writeHead(status).end());
      await assert.rejects(get(`${plain.url}/status?token=secret`), (error: StillageError) => {
        return error.code === expected && !error.message.includes("secret");
      });
    });
  }

  it("in an encoding that was not asked for is refused", async () => {
    for (const encoding of ["gzip", "br", "identity, gzip"]) {
      plain.on("/encoded", (_, response) => response.writeHead(200, { "content-encoding": encoding }).end("x"));
      await assert.rejects(get(`${plain.url}/encoded`), code("aborted"));
    }
    plain.on("/encoded", (_, response) => response.writeHead(200, { "content-encoding": "identity" }).end("x"));
    assert.equal(await get(`${plain.url}/encoded`), "x");
  });

  it("that is no HTTP is refused", async () => {
    const server = createServer((socket) => socket.end("220 mail.example ESMTP\r\n")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(get(`http://127.0.0.1:${port}/`), code("aborted"));
    server.close();
  });

  it("that does not come is not waited for", async () => {
    plain.on("/silent", () => {});
    await assert.rejects(get(`${plain.url}/silent`, {}, { ...everything, answerMs: 50 }), code("deadline"));
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    await assert.rejects(get(`https://localhost:${port}/`, {}, { ...everything, connectMs: 50 }), code("deadline"));
    mute.close();
    const controller = new AbortController();
    const asking = get(`${plain.url}/silent`, {}, everything, controller.signal);
    controller.abort(new StillageError("cancelled", "enough"));
    await assert.rejects(asking, code("cancelled"));
  });

  const transfers: [what: string, head: string, body: string][] = [
    ["101 and another protocol", "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x", ""],
    ["the transfer encoding identity", "200 OK\r\nTransfer-Encoding: identity", "cut"],
    ["the transfer encoding gzip", "200 OK\r\nTransfer-Encoding: gzip", "cut"],
    ["two transfer encodings", "200 OK\r\nTransfer-Encoding: gzip, chunked", "3\r\nabc\r\n0\r\n\r\n"],
  ];
  for (const [what, head, body] of transfers) {
    it(`in ${what} is refused`, async () => {
      plain.on("/raw", ({ socket }) => socket.end(`HTTP/1.1 ${head}\r\n\r\n${body}`));
      await assert.rejects(get(`${plain.url}/raw`), code("aborted"));
    });
  }

  it("is taken with an offer of another protocol, and in chunks, however that is spelled", async () => {
    for (const [more, body] of [
      ["Connection: Upgrade, close\r\nUpgrade: h2\r\nContent-Length: 3", "abc"],
      ["Transfer-Encoding: Chunked", "3\r\nabc\r\n0\r\n\r\n"],
    ]) {
      plain.on("/raw", ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\n${more}\r\n\r\n${body}`));
      assert.equal(await get(`${plain.url}/raw`), "abc");
    }
  });

  it("of a host whose name is not resolved is not waited for", async () => {
    const resolve = () => new Promise<never>(() => {});
    const rules = { ...everything.rules, resolve };
    await assert.rejects(get("http://slow.example/", {}, { ...everything, rules, connectMs: 1 }), code("deadline"));
  });

  it("from nobody is passing trouble", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, "close");
    await assert.rejects(get(`http://127.0.0.1:${port}/`), code("unavailable"));
  });
});
