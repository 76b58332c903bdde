import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { newFolder } from "./support/folder.ts";
import { makeKeyPair } from "./support/key-pair.ts";
import { run, serve } from "./support/programs.ts";

const program = "bst-artifact-server";

test("without --enable-push it serves pulls alone, on all addresses", async () => {
  await using folder = await newFolder();
  await using server = await serve(program, ["--port", "0", "repo"], { cwd: folder.path });
  const [listener] = server.listeners;
  assert.match(listener?.address ?? "", /^(\[::\]|0\.0\.0\.0):\d+$/);
  assert.deepEqual({ ...listener, address: "" }, { address: "", tls: false, push: false, clientCertificates: false });
  const port = Number(listener?.address.split(":").at(-1));
  await answersAt("127.0.0.1", port);
  const status = await statusAt(port);
  const { bytes, others, ...empty } = status.store as Record<string, number>;
  assert.deepEqual(empty, { blobs: 0, live: 0, dead: 0, quota: 10_000_000_000 });
  assert.equal(bytes, others, "the tables of an empty store are all that it takes");
  assert.equal(status.services, "all");
  server.signal("SIGTERM");
  assert.equal((await server.ended()).status, 0);
});

test("each unit file of BuildStream's documentation runs as it is", async () => {
  await using folder = await newFolder();
  const cwd = folder.path;
  await makeKeyPair(cwd, "server");
  await makeKeyPair(cwd, "authorized");
  const tls = ["--server-key", join(cwd, "server.key"), "--server-cert", join(cwd, "server.crt")];
  const push = ["--client-certs", join(cwd, "authorized.crt"), "--enable-push"];
  const rights = async (args: readonly string[]): Promise<object> => {
    await using server = await serve(program, args, { cwd: "/", env: { LC_ALL: "C.UTF-8" } });
    return { ...server.listeners[0], address: "" };
  };
  const repo = join(cwd, "artifacts");
  assert.deepEqual(await rights(["--port", "0", ...tls, repo]), {
    address: "",
    tls: true,
    push: false,
    clientCertificates: false,
  });
  assert.deepEqual(await rights(["--port", "0", ...tls, ...push, repo]), {
    address: "",
    tls: true,
    push: true,
    clientCertificates: true,
  });
});

test("the other flags do what they did", async () => {
  await using folder = await newFolder();
  const args = ["-p", "0", "--quota", "123456789", "--index-only", "--enable-push", "--log-level", "trace", "repo"];
  await using server = await serve(program, args, { cwd: folder.path });
  const [listener] = server.listeners;
  assert.equal(listener?.push, true);
  const status = await statusAt(Number(listener?.address.split(":").at(-1)));
  assert.equal((status.store as { quota: number }).quota, 123_456_789);
  assert.equal(status.services, "index");
});

test("settings of stillage in the environment do not reach it", async () => {
  await using folder = await newFolder();
  const env = { STILLAGE_SERVICES: "index", STILLAGE_QUOTA: "nonsense", STILLAGE_CONFIG: "/none" };
  await using server = await serve(program, ["-p", "0", "repo"], { cwd: folder.path, env });
  const status = await statusAt(Number(server.listeners[0]?.address.split(":").at(-1)));
  assert.equal(status.services, "all");
});

test("wrong flags end with 2 and a sentence each", async (t) => {
  await using folder = await newFolder();
  const cases: readonly (readonly [readonly string[], readonly RegExp[]])[] = [
    [["repo"], [/--port/]],
    [["-p", "1"], [/REPO|argument/i]],
    [["-p", "http", "repo"], [/--port: "http"/]],
    [["-p", "65536", "repo"], [/--port: "65536"/]],
    [["-p", "0", "--quota", "10G", "repo"], [/--quota: "10G"/]],
    [["-p", "0", "--quota", "0", "repo"], [/--quota: "0"/]],
    [["-p", "0", "--server-key", "k", "repo"], [/--server-key and --server-cert/]],
    [["-p", "0", "--server-cert", "c", "repo"], [/--server-key and --server-cert/]],
    [["-p", "0", "--client-certs", "c", "repo"], [/--client-certs can only be used with --server-key/]],
    [["-p", "0", "--log-level", "loud", "repo"], [/--log-level.*loud/]],
    [
      ["-p", "x", "--quota", "y", "--client-certs", "c", "repo"],
      [/--port/, /--quota/, /--client-certs/],
    ],
    [
      ["-p", "0", "--enable-pusch", "repo"],
      [/--enable-pusch/, /--enable-push\b/],
    ],
    [["-p", "0", "repo", "more"], [/argument/]],
  ];
  for (const [args, said] of cases) {
    await t.test(args.join(" "), async () => {
      const { status, stdout, stderr } = await run(program, args, { cwd: folder.path });
      assert.deepEqual([status, stdout], [2, ""]);
      for (const each of said) assert.match(stderr, each);
    });
  }
});

test("a port in use ends with 1 and one sentence", async () => {
  await using folder = await newFolder();
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, () => resolve((other.address() as { port: number }).port));
  });
  try {
    const { status, stderr } = await run(program, ["-p", String(port), "repo"], { cwd: folder.path });
    assert.equal(status, 1);
    assert.match(stderr, /^bst-artifact-server: cannot listen on .*another program listens there\n$/);
  } finally {
    other.close();
  }
});

async function statusAt(port: number): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}/status`);
  return (await response.json()) as Record<string, unknown>;
}

function answersAt(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
