import assert from "node:assert/strict";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { newFolder } from "./support/folder.ts";
import { makeKeyPair } from "./support/key-pair.ts";
import { run, serve } from "./support/programs.ts";

const anyPort = ["--listen", "127.0.0.1:0"];

test("serve says where it listens and ends with 0 on SIGTERM", async () => {
  await using folder = await newFolder();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using server = await serve("stillage", ["serve", "store", ...anyPort], { cwd: folder.path });
    const [listener, ...more] = server.listeners;
    assert.deepEqual(more, []);
    assert.match(listener?.address ?? "", /^127\.0\.0\.1:[1-9]\d*$/);
    assert.deepEqual({ ...listener, address: "" }, { address: "", tls: false, push: true, clientCertificates: false });
    assert.equal((await get(listener?.address ?? "", "/readyz")).status, 200);
    const ready = await server.logged("ready");
    assert.equal(ready.level, "info");
    assert.equal(new Date(ready.time).toISOString(), ready.time);
    server.signal(signal);
    const { status, stdout } = await server.ended();
    assert.deepEqual([status, stdout], [0, ""]);
  }
});

test("ready is said at every log level", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", ...anyPort, "--log-level=error"];
  await using server = await serve("stillage", args, { cwd: folder.path });
  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);
  assert.deepEqual(
    server.log.map(({ msg }) => msg),
    ["ready"],
  );
});

test("several listeners, each with rights of its own", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await makeKeyPair(cwd, "server");
  await makeKeyPair(cwd, "client");
  await writeFile(
    join(cwd, "stillage.yaml"),
    `listeners:
- address: 127.0.0.1:0
  push: false
- address: "[::1]:0"
  tls: {certificate: server.crt, key: server.key}
- address: unix:socket
  tls: {certificate: server.crt, key: server.key, client-certificates: client.crt}
`,
  );
  await using server = await serve("stillage", ["serve", "--config", "stillage.yaml"], { cwd });
  const told = server.listeners.map(({ address, ...rest }) => ({ address: address.replace(/\d+$/, "PORT"), ...rest }));
  assert.deepEqual(told, [
    { address: "127.0.0.1:PORT", tls: false, push: false, clientCertificates: false },
    { address: "[::1]:PORT", tls: true, push: true, clientCertificates: false },
    { address: `unix:${join(cwd, "socket")}`, tls: true, push: true, clientCertificates: true },
  ]);
});

test("SIGHUP takes new certificates, and keeps the old ones where the new ones are bad", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const { certificate } = await makeKeyPair(cwd, "server");
  const listen = "address=127.0.0.1:0,cert=server.crt,key=server.key";
  await using server = await serve("stillage", ["serve", "store", "--listen", listen], { cwd });
  const address = server.listeners[0]?.address ?? "";
  const first = await fingerprint(address);

  await rename(certificate, `${certificate}.old`);
  server.signal("SIGHUP");
  const failure = await server.logged(`the certificate ${certificate} cannot be read (ENOENT)`);
  assert.equal(failure.level, "error");
  assert.equal(await fingerprint(address), first);

  await makeKeyPair(cwd, "server");
  server.signal("SIGHUP");
  await server.logged("certificates and rights reloaded");
  assert.notEqual(await fingerprint(address), first);
});

test("a second server on a directory is refused with one sentence", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using first = await serve("stillage", ["serve", "store", ...anyPort], { cwd });
  const second = await run("stillage", ["serve", "store", ...anyPort], { cwd });
  const sentence = `stillage: another process is using the store in ${join(cwd, "store")}; stop that server, or name another directory\n`;
  assert.deepEqual(second, { status: 1, stdout: "", stderr: sentence });
  assert.equal((await get(first.listeners[0]?.address ?? "", "/readyz")).status, 200);
});

test("what keeps a server from starting is one sentence on standard error, and the status is 1", async (t) => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await using other = await serve("stillage", ["serve", "other", ...anyPort], { cwd });
  const taken = other.listeners[0]?.address ?? "";
  await writeFile(join(cwd, "file"), "");
  await mkdir(join(cwd, "full"));
  await writeFile(join(cwd, "full", "thesis.txt"), "");
  await mkdir(join(cwd, "newer"));
  await writeFile(join(cwd, "newer", "format"), "stillage-store 999\n");
  await makeKeyPair(cwd, "one");
  await makeKeyPair(cwd, "two");
  const cases: Readonly<Record<string, readonly [readonly string[], RegExp]>> = {
    "a file instead of a directory": [["file", ...anyPort], /\/file/],
    "a directory of something else": [
      ["full", ...anyPort],
      /full is not empty and not a store.*thesis\.txt.*; name an/,
    ],
    "an unknown format": [["newer", ...anyPort], /newer has a store of format 999; this program knows format \d+$/],
    "a port in use": [["store", "--listen", taken], /cannot listen on 127.*another program listens there$/],
    "an address of another machine": [["store", "--listen", "192.0.2.1:0"], /cannot listen on 192\.0\.2\.1:0/],
    "no certificate": [["store", "--listen", "address=127.0.0.1:0,cert=no,key=one.key"], /certificate .*\/no cannot/],
    "another's key": [["store", "--listen", "address=127.0.0.1:0,cert=one.crt,key=two.key"], /one\.crt .*two\.key/],
  };
  for (const [name, [args, said]] of Object.entries(cases)) {
    await t.test(name, async () => {
      const { status, stdout, stderr } = await run("stillage", ["serve", ...args], { cwd });
      assert.deepEqual([status, stdout], [1, ""], stderr);
      assert.match(stderr.trimEnd(), said);
      assert.match(stderr, /^stillage: [^\n]+\n$/);
    });
  }
});

test("the log is readable text where that is asked for", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  const args = ["serve", "store", "--listen", "192.0.2.1:0", "--log-format=text", "--log-level=debug"];
  const { stderr } = await run("stillage", args, { cwd });
  assert.doesNotMatch(stderr, /^\{/m);
});

function get(address: string, path: string): Promise<{ status: number }> {
  return fetch(`http://${address}${path}`);
}

/** Of the certificate that the server shows. */
function fingerprint(address: string): Promise<string> {
  const { hostname, port } = new URL(`https://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
