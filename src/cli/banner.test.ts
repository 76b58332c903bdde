import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { parse } from "yaml";
import { defaultConfig } from "../config/load.ts";
import type { RunningServer } from "../server/app.ts";
import type { RunningListener } from "../server/server-options.ts";
import { banner } from "./banner.ts";
import { snippets } from "./client-snippets.ts";

const config = defaultConfig("/data");
const local: RunningListener = { address: "127.0.0.1:11001", push: true, tls: false, clientCertificates: false };
const secure: RunningListener = { address: "0.0.0.0:11002", push: true, tls: true, clientCertificates: true };
const open: RunningListener = { address: "[::]:11001", push: false, tls: false, clientCertificates: false };

function serverOf(listeners: readonly RunningListener[], bytes: number, quota: number | undefined): RunningServer {
  const done = async (): Promise<void> => {};
  return {
    listeners,
    usage: () => ({ blobs: 3, bytes, live: bytes, dead: 0, others: 0, quota }),
    answers: done,
    reload: done,
    close: done,
  };
}

function linesFor(listener: RunningListener, client: string, changes: object = {}): readonly string[] | undefined {
  return snippets(listener, { ...config, ...changes }).find((each) => each.client.startsWith(client))?.lines;
}

test("the banner says where the server listens, how full it is, and how to use it", () => {
  const text = banner(config, serverOf([local], 1_234_567, 10e9));
  assert.match(text, /serves \/data\/cache \(3 blobs, 1\.2 MB of 10 GB, 0 % full\)/);
  assert.match(text, /^ {2}127\.0\.0\.1:11001 {2}pull and push$/m);
  assert.match(text, /Only programs on this machine reach it/);
  for (const part of ["url: http://127.0.0.1:11001", "--remote_cache=grpc://127.0.0.1:11001"])
    assert.ok(text.includes(part));
});

test("of several listeners the snippets name one that takes pushes", () => {
  const text = banner(config, serverOf([open, secure], 0, undefined));
  assert.match(text, /\(3 blobs, 0 bytes\)/);
  assert.match(text, /^ {2}\[::\]:11001 {5}pull only$/m);
  assert.match(text, /^ {2}0\.0\.0\.0:11002 {2}pull and push, TLS, with client certificates$/m);
  assert.doesNotMatch(text, /Only programs/);
  assert.match(text, new RegExp(`url: https://${hostname()}:11002`));
});

test("BuildStream's snippet is YAML that says what the listener needs", () => {
  const entry = (listener: RunningListener, changes: object = {}): unknown =>
    parse((linesFor(listener, "BuildStream", changes) ?? []).join("\n")).artifacts.servers;
  assert.deepEqual(entry(local), [{ url: "http://127.0.0.1:11001", push: true }]);
  assert.deepEqual(entry(open), [{ url: `http://${hostname()}:11001` }]);
  assert.deepEqual(entry(secure, { instances: ["team/os"], services: "index" }), [
    {
      url: `https://${hostname()}:11002`,
      push: true,
      type: "index",
      "instance-name": "team/os",
      auth: { "server-cert": "server.crt", "client-cert": "client.crt", "client-key": "client.key" },
    },
  ]);
  assert.deepEqual(entry({ ...local, address: "unix:/run/s" }), [{ url: "unix:/run/s", push: true }]);
});

test("a client has a snippet only where it can use the listener", () => {
  assert.equal(linesFor(local, "Bazel", { services: "index" }), undefined);
  assert.equal(linesFor(local, "buildbox-casd", { services: "storage" }), undefined);
  assert.equal(linesFor({ ...local, address: "unix:/run/s" }, "Bazel"), undefined);
  assert.deepEqual(snippets({ ...local, address: "systemd:push" }, config), []);
  assert.deepEqual(linesFor(open, "Bazel", { instances: ["a/b"] }), [
    `build --remote_cache=grpc://${hostname()}:11001`,
    "build --remote_instance_name=a/b",
    "build --remote_upload_local_results=false",
  ]);
  assert.deepEqual(linesFor(local, "recc", { instances: ["a"] }), [
    "export RECC_SERVER=127.0.0.1:11001 RECC_CACHE_ONLY=1 RECC_INSTANCE=a",
  ]);
});
