import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, stat, unlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { Capabilities } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../../src/rpc/client/channel.ts";
import { client } from "../../src/rpc/client/typed.ts";
import { programFile } from "../support/program-file.ts";
import { newFolder } from "./support/folder.ts";
import { listenForNotices } from "./support/notices.ts";
import { type Listening, type LogLine, run, runCommand, serve } from "./support/programs.ts";

test("a service manager hears of start, reload, signs of life and stop, in this order", async () => {
  await using folder = await newFolder();
  await using notices = await listenForNotices(folder.path);
  // Three signs in 300 ms, or the process would be ended.
  const env = { NOTIFY_SOCKET: notices.socket, WATCHDOG_USEC: "300000" };
  const args = ["serve", "store", "--listen", "127.0.0.1:0", "--quota", "1G", "--grace", "5s"];
  await using server = await serve("stillage", args, { cwd: folder.path, env });
  const ready = await notices.next(["READY=1"], 0);
  const address = server.listeners[0]?.address;
  assert.match(ready, new RegExp(`^STATUS=serves on ${address} \\(pull and push\\); \\d+ kB of 1.0 GB$`, "m"));
  assert.equal(notices.all[0], `EXTEND_TIMEOUT_USEC=600000000\nSTATUS=opens ${join(folder.path, "store")}`);
  assert.equal((await fetch(`http://${address}/readyz`)).status, 200);
  await notices.next(["WATCHDOG=1"]);
  await notices.next(["WATCHDOG=1"]);

  const reloads = notices.all.length;
  server.signal("SIGHUP");
  await notices.next(["RELOADING=1"], reloads);
  await notices.next(["READY=1"], reloads);
  const order = notices.all.slice(reloads).filter((message) => /^(RELOADING|READY)/.test(message));
  assert.deepEqual(
    order.map((message) => message.split("\n")[0]),
    ["RELOADING=1", "READY=1"],
  );

  server.signal("SIGTERM");
  await notices.next(["STOPPING=1", "EXTEND_TIMEOUT_USEC=65000000"], reloads);
  assert.equal((await server.ended()).status, 0);
});

test("before a sign of life the store is asked", async () => {
  await using folder = await newFolder();
  await using notices = await listenForNotices(folder.path);
  const env = { NOTIFY_SOCKET: notices.socket, WATCHDOG_USEC: "300000" };
  await using server = await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0"], {
    cwd: folder.path,
    env,
  });
  await notices.next(["WATCHDOG=1"], 0);
  // A file whose reader waits until somebody has written, as one waits on a disk that hangs.
  const asked = join(folder.path, "store/format");
  await unlink(asked);
  await runCommand("mkfifo", [asked], { cwd: folder.path });
  await using hung = await open(asked, "w");
  assert.equal((await fetch(`http://${server.listeners[0]?.address}/healthz`)).status, 200);
  await hung.close();
  await notices.next(["WATCHDOG=1"]);
});

test("a server that cannot start is not ready", async () => {
  await using folder = await newFolder();
  await using notices = await listenForNotices(folder.path);
  await using taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const env = { NOTIFY_SOCKET: notices.socket };
  const args = ["serve", "store", "--listen", `127.0.0.1:${port}`];
  const { status } = await run("stillage", args, { cwd: folder.path, env });
  assert.equal(status, 1);
  await notices.next(["EXTEND_TIMEOUT_USEC=600000000"], 0);
  assert.deepEqual(
    notices.all.filter((message) => message.includes("READY=1")),
    [],
  );
});

test("a server listens on the sockets that are handed to it", async () => {
  await using folder = await newFolder();
  const unix = join(folder.path, "socket");
  const ports = await Promise.all([freePort(), freePort()]);
  const sockets = [...ports.map((port) => `127.0.0.1:${port}`), unix];
  const words = ["--fdname=pull:push:push", ...sockets.map((socket) => `--listen=${socket}`)];
  const listen = ["--listen", "address=systemd:pull,push=false", "--listen", "systemd:push"];
  const program = [process.execPath, programFile("stillage"), "serve", join(folder.path, "store"), ...listen];
  const child = spawn("systemd-socket-activate", [...words, ...program], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "close");
  try {
    const lines = createInterface(child.stderr);
    const ready = Promise.withResolvers<LogLine>();
    lines.on("line", (line) => {
      if (line.startsWith("{") && line.includes('"ready"')) ready.resolve(JSON.parse(line));
    });
    // The first who connects has the server started, and waits until it is.
    await once(lines, "line");
    const [pull, push] = sockets;
    assert.equal(await mayPush(`http://${pull}`), false);
    assert.equal(await mayPush(`http://${push}`), true);
    assert.equal(await mayPush(`unix:${unix}`), true);
    const listeners = (await ready.promise).listeners as Listening[];
    assert.deepEqual(
      listeners.map((each) => [each.address, each.push]),
      [
        [pull, false],
        [push, true],
        ["systemd:push", true],
      ],
    );
    child.kill("SIGTERM");
    assert.equal((await ended)[0], 0);
    assert.ok((await stat(unix)).isSocket(), "the server has removed a socket that is not its own");
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
});

test("without the socket that a listener names nothing starts", async () => {
  await using folder = await newFolder();
  const args = ["serve", "store", "--listen", "systemd:pull"];
  const env = { LISTEN_PID: "1", LISTEN_FDS: "1", LISTEN_FDNAMES: "pull" };
  const { status, stderr } = await run("stillage", args, { cwd: folder.path, env });
  assert.equal(status, 1);
  assert.match(stderr, /cannot listen on systemd:pull: no socket of this name was handed over, only none at all/);
});

/** Whether a server says that it takes action results. */
async function mayPush(target: string): Promise<boolean> {
  const channel = connect(target);
  try {
    const { cacheCapabilities } = await client(channel, Capabilities).getCapabilities({});
    return cacheCapabilities?.actionCacheUpdateCapabilities?.updateEnabled ?? false;
  } finally {
    channel.destroy();
  }
}

async function freePort(): Promise<number> {
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}
