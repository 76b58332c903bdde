import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Push } from "../../src/gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  Capabilities,
  ContentAddressableStorage,
} from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { type ChannelOptions, connect } from "../../src/rpc/client/channel.ts";
import type { RpcError } from "../../src/rpc/client/rpc-error.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { createToken, writeAccess } from "./support/access.ts";
import { newFolder } from "./support/folder.ts";
import { makeKeyPair } from "./support/key-pair.ts";
import { run, serve } from "./support/programs.ts";

const listen = ["--listen", "127.0.0.1:0"];
const rules = [
  { who: "anyone", may: "pull" },
  { who: { token: "ci-*" }, may: "push" },
];

/** What a client with these credentials is told: whether it may push, and the status of a push that stores nothing. */
async function tried(url: string, token?: string, options: ChannelOptions = {}) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const channel = connect(url, { ...options, headers });
  try {
    const outcome = async (call: Promise<unknown>) => {
      try {
        return await call;
      } catch (error) {
        return (error as RpcError).status;
      }
    };
    const capabilities = await outcome(
      client(channel, Capabilities)
        .getCapabilities({})
        .then((all) => all.cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled),
    );
    return [
      capabilities,
      await outcome(
        client(channel, ContentAddressableStorage)
          .batchUpdateBlobs({})
          .then(() => "ok"),
      ),
      await outcome(client(channel, Push).pushBlob({})),
    ];
  } finally {
    await channel.close();
  }
}

/** GETs or PUTs by HTTP/1.1. */
function http(address: string, path: string, headers: Record<string, string> = {}, body?: Buffer) {
  const [hostname, port] = address.split(":");
  const method = body === undefined ? "GET" : "PUT";
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; bytes: number }>((resolve, reject) => {
    const call = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let bytes = 0;
      response.on("data", (piece: Buffer) => {
        bytes += piece.length;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }));
    });
    call.on("error", reject).end(body);
  });
}

const reader = [false, "PERMISSION_DENIED", "PERMISSION_DENIED"];
const pusher = [true, "ok", "INVALID_ARGUMENT"];
const stranger = ["UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"];

test("tokens: who has one may what the rules say, revoked ones are worthless at once, and the others go on", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = ["--access", await writeAccess(cwd, rules)];
  const [first, second] = [await createToken(cwd, "ci-1"), await createToken(cwd, "ci-2")];
  const [other, late] = [await createToken(cwd, "other"), await createToken(cwd, "ci-3", "--expires", "1ms")];
  await using server = await serve("stillage", ["serve", "store", ...access, ...listen], { cwd });
  const url = `grpc://${server.listeners[0]?.address}`;

  assert.deepEqual(await tried(url), reader);
  assert.deepEqual(await tried(url, first), pusher);
  assert.deepEqual(await tried(url, other), reader);
  assert.deepEqual(await tried(url, late), stranger);
  assert.deepEqual(await tried(url, `${first}x`), stranger);

  const open = connect(url, { headers: { authorization: `Bearer ${first}` } });
  const cas = client(open, ContentAddressableStorage);
  await cas.batchUpdateBlobs({});
  assert.equal((await run("stillage", ["token", "revoke", "ci-1", ...access], { cwd })).status, 0);
  await server.logged("rights were read anew");
  await assert.rejects(cas.batchUpdateBlobs({}), { status: "UNAUTHENTICATED" });
  assert.deepEqual(await tried(url, second), pusher);
  await open.close();
});

test("rights are read anew, and stay as they were where the new ones are wrong", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = await writeAccess(cwd, rules);
  const token = await createToken(cwd, "ci-1");
  await using server = await serve("stillage", ["serve", "store", "--access", access, ...listen], { cwd });
  const url = `grpc://${server.listeners[0]?.address}`;
  await writeFile(access, "rights: []\n");
  const line = await server.logged("rights stay as they were: what is in the files is wrong");
  assert.match(String(line.reason), /access.yaml:1:9: rights: has 0 entries/);
  assert.deepEqual(await tried(url, token), pusher);
  await writeAccess(cwd, [{ who: { token: "*" }, may: "pull" }]);
  server.signal("SIGHUP");
  await server.logged("certificates and rights reloaded");
  assert.deepEqual(await tried(url, token), reader);
  assert.deepEqual(await tried(url), stranger);
});

test("a cache that is not for everyone, by HTTP", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = await writeAccess(cwd, [
    { who: { token: "ci" }, may: "push" },
    { who: { token: "reader" }, may: "pull" },
    { who: { token: "root" }, may: "admin" },
    { who: "anyone", may: "pull", instances: "public" },
  ]);
  const [ci, reads, root] = [
    await createToken(cwd, "ci"),
    await createToken(cwd, "reader"),
    await createToken(cwd, "root"),
  ];
  const instances = ["--instance", "", "--instance", "public"];
  await using server = await serve("stillage", ["serve", "store", "--access", access, ...instances, ...listen], {
    cwd,
  });
  const address = server.listeners[0]?.address ?? "";
  const basic = (token: string) => ({ authorization: `Basic ${Buffer.from(`me:${token}`).toString("base64")}` });
  const data = Buffer.from("blob");
  const path = `/cas/${createHash("sha256").update(data).digest("hex")}`;

  assert.equal((await http(address, path, basic(ci), data)).status, 200);
  assert.equal((await http(address, `/public${path}`, basic(ci), data)).status, 200);
  const refused = await http(address, path);
  assert.deepEqual([refused.status, refused.headers["www-authenticate"]], [401, 'Basic realm="Stillage", Bearer']);
  assert.equal((await http(address, path, basic("nonsense"))).status, 401);
  assert.equal((await http(address, path, basic(reads), data)).status, 403);
  const own = await http(address, path, basic(reads));
  assert.deepEqual([own.status, own.headers["cache-control"]], [200, "private, max-age=31536000, immutable"]);
  const everyones = await http(address, `/public${path}`);
  assert.deepEqual(
    [everyones.status, everyones.headers["cache-control"]],
    [200, "public, max-age=31536000, immutable"],
  );

  for (const page of ["/healthz", "/readyz"]) assert.equal((await http(address, page)).status, 200);
  for (const page of ["/metrics", "/status"]) {
    assert.equal((await http(address, page)).status, 401);
    assert.equal((await http(address, page, basic(ci))).status, 403);
    assert.equal((await http(address, page, { authorization: `Bearer ${root}` })).status, 200);
  }
});

test("client certificates, which some clients have: by subject, by fingerprint, and none", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const [own, builder, box, foreign] = await Promise.all(
    ["server", "builder-7", "box", "foreign"].map(async (name) => {
      const pair = await makeKeyPair(cwd, name);
      return { cert: await readFile(pair.certificate, "utf8"), key: await readFile(pair.key, "utf8") };
    }),
  );
  assert.ok(own && builder && box && foreign);
  await writeFile(join(cwd, "clients.crt"), builder.cert + box.cert);
  const fingerprint = new X509Certificate(box.cert).fingerprint256;
  const access = await writeAccess(cwd, [
    { who: "anyone", may: "pull" },
    { who: { certificate: { CN: "builder-*" } }, may: "push" },
    { who: { fingerprint }, may: "push", instances: "other" },
  ]);
  const tls = "cert=server.crt,key=server.key,client-certs=clients.crt,client-auth=optional";
  const where = ["--listen", `address=127.0.0.1:0,${tls}`, "--listen", `address=127.0.0.1:0,push=false,${tls}`];
  await using server = await serve("stillage", ["serve", "store", "--access", access, ...where], { cwd });
  const [both = "", pullOnly = ""] = server.listeners.map(({ address }) => `grpcs://${address}`);
  const trust = { ca: own.cert };
  assert.deepEqual(await tried(both, undefined, trust), reader);
  assert.deepEqual(await tried(both, undefined, { ...trust, ...builder }), pusher);
  assert.deepEqual(await tried(both, undefined, { ...trust, ...box }), reader, "it may push elsewhere only");
  assert.deepEqual(await tried(both, undefined, { ...trust, ...foreign }), Array(3).fill("UNAVAILABLE"));
  assert.deepEqual(await tried(pullOnly, undefined, { ...trust, ...builder }), reader);
});

test("who pushed an artifact stands in the catalogue, and its instance is shown to those alone who may pull there", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = await writeAccess(cwd, [
    { who: { token: "ci-1" }, may: "push" },
    { who: "anyone", may: "pull", instances: "public" },
  ]);
  const token = await createToken(cwd, "ci-1");
  const instances = ["--instance", "public", "--instance", "own"];
  await using server = await serve("stillage", ["serve", "store", "--access", access, ...instances, ...listen], {
    cwd,
  });
  const address = server.listeners[0]?.address ?? "";
  const channel = connect(`grpc://${address}`, { headers: { authorization: `Bearer ${token}` } });
  const data = Buffer.from("no artifact, but it need not be one");
  const digest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: BigInt(data.length) };
  const uris = [`urn:fdc:buildstream.build:2020:artifact:os/base/${digest.hash}`];
  for (const instanceName of ["public", "own"]) {
    await client(channel, ContentAddressableStorage).batchUpdateBlobs({ instanceName, requests: [{ digest, data }] });
    await client(channel, Push).pushBlob({ instanceName, uris, blobDigest: digest });
  }
  await channel.close();
  const api = async (query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://${address}/api/v1/${query}`, { headers });
    return { status: response.status, json: (await response.json()) as { items: Record<string, unknown>[] } };
  };
  const listed = await api("artifacts?instance=public");
  assert.deepEqual(
    listed.json.items.map(({ project, element, pushedBy }) => [project, element, pushedBy]),
    [["os", "base", "token ci-1"]],
  );
  assert.deepEqual(
    (await api("instances")).json.items.map(({ name }) => name),
    ["public"],
  );
  assert.equal((await api("artifacts?instance=own")).status, 401);
  assert.equal((await api("artifacts?instance=own", { authorization: `Bearer ${token}` })).status, 200);
});

test("the access log: who, what, how much and how long, in a file that may be rotated", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = await writeAccess(cwd, rules);
  const token = await createToken(cwd, "ci-1");
  const file = join(cwd, "access.log");
  const options = ["--access", access, "--access-log", file, "--instance", "", "--instance", "main"];
  const server = await serve("stillage", ["serve", "store", ...options, ...listen], { cwd });
  const address = server.listeners[0]?.address ?? "";
  await tried(`grpc://${address}`, token);
  await rename(file, `${file}.1`);
  server.signal("SIGHUP");
  await server.logged("certificates and rights reloaded");
  const data = Buffer.from("blob");
  const path = `/main/cas/${createHash("sha256").update(data).digest("hex")}`;
  await http(address, path, { authorization: `Bearer ${token}` }, data);
  await http(address, path);
  const refused = await http(address, path, { authorization: "Bearer nonsense" });
  server.signal("SIGTERM");
  await server.ended();

  const read = async (name: string) => {
    const lines = (await readFile(name, "utf8")).trimEnd().split("\n");
    return lines.map((line) => {
      const { time, id, peer, ms, ...rest } = JSON.parse(line) as Record<string, unknown>;
      assert.match(String(id), /^[0-9a-f]{10}-[0-9a-z]+$/);
      assert.match(`${time} ${peer}`, /^\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1:\d+$/);
      assert.equal(typeof ms, "number");
      return rest;
    });
  };
  const before = await read(`${file}.1`);
  assert.deepEqual(
    before.map(({ who, call, status }) => [who, call, status]),
    [
      ["token ci-1", "build.bazel.remote.execution.v2.Capabilities/GetCapabilities", "OK"],
      ["token ci-1", "build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs", "OK"],
      ["token ci-1", "build.bazel.remote.asset.v1.Push/PushBlob", "INVALID_ARGUMENT"],
    ],
  );
  assert.deepEqual(await read(file), [
    { who: "token ci-1", call: "HTTP PUT", instance: "main", what: path, status: "200", in: 4, out: 0 },
    { who: "anonymous", call: "HTTP GET", instance: "main", what: path, status: "200", in: 0, out: 4 },
    { who: "unidentified", call: "HTTP GET", instance: "", what: path, status: "401", in: 0, out: refused.bytes },
  ]);
});

test("an access log whose disk is full keeps the server from nothing", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using server = await serve("stillage", ["serve", "store", "--access-log", "/dev/full", ...listen], { cwd });
  const address = server.listeners[0]?.address ?? "";
  for (let i = 0; i < 300; i++) assert.equal((await http(address, "/healthz")).status, 200);
  await server.logged("the access log fails");
  server.signal("SIGHUP");
  await server.logged("certificates and rights reloaded");
  assert.equal((await http(address, "/healthz")).status, 200);
  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);
});

test("two authorization headers are no credentials", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const access = await writeAccess(cwd, rules);
  const token = await createToken(cwd, "ci-1");
  await using server = await serve("stillage", ["serve", "store", "--access", access, ...listen], { cwd });
  const [host = "", port = ""] = (server.listeners[0]?.address ?? "").split(":");
  const one = `authorization: Bearer ${token}\r\n`;
  for (const [headers, status] of [
    [one, "404"],
    [one + one, "401"],
  ] as const) {
    const socket = connectTcp(Number(port), host);
    socket.end(`GET /cas/${"0".repeat(64)} HTTP/1.1\r\nhost: x\r\n${headers}connection: close\r\n\r\n`);
    let text = "";
    for await (const piece of socket) text += String(piece);
    assert.equal(text.split(" ")[1], status);
  }
});

test("an access log that cannot be written keeps the server from starting", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const { status, stderr } = await run("stillage", ["serve", "store", "--access-log", "no/such/file", ...listen], {
    cwd,
  });
  assert.equal(status, 1);
  assert.match(stderr, /the access log \S+no\/such\/file cannot be opened \(ENOENT\)/);
});
