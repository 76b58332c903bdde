import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openCallers } from "../access/granted-caller.ts";
import { newPeer } from "./http/asking.fixture.ts";
import { onBehalfOf, receiveListener, withSecret, writeSecret } from "./receive-socket.ts";
import type { ServerOptions } from "./server-options.ts";

const options = (store: string, receiveSocket: string | undefined) => ({ store, receiveSocket }) as ServerOptions;

test("the socket is in the store's directory, elsewhere, or nowhere", () => {
  for (const [setting, address, wanted] of [
    ["auto", "unix:/srv/store/receive.socket", false],
    ["/run/push", "unix:/run/push", true],
  ] as const) {
    const { receive, ...rest } = receiveListener(options("/srv/store", setting)) ?? {};
    assert.deepEqual(rest, { address, push: true, tls: undefined });
    assert.equal(receive?.wanted, wanted);
    assert.match(receive?.secret ?? "", /^[\w-]{43}$/);
  }
  assert.equal(receiveListener(options("/srv/store", undefined)), undefined);
});

test("where its path is too long there is none, unless it is wanted just there", () => {
  const long = `/${"x".repeat(107)}`;
  assert.equal(receiveListener(options(long, "auto")), undefined);
  assert.throws(() => receiveListener(options("/srv", long)), { code: "failed-precondition", message: /at most 107/ });
});

test("whoever does not show the socket's secret is nobody there, and elsewhere nobody is asked for it", async () => {
  const asked: unknown[] = [];
  const authenticate = withSecret(() => (...given) => {
    asked.push(given);
    return openCallers.pushing;
  });
  await authenticate(newPeer())("Bearer token", undefined);
  const identify = authenticate({ ...newPeer(), secret: "s3cret" });
  await identify("Bearer s3cret", "alice");
  for (const wrong of ["", "s3cret", "Bearer s3cre", "Bearer s3crets", "Bearer S3cret"]) {
    assert.throws(() => identify(wrong, "admin"), { code: "unauthenticated" }, wrong);
  }
  assert.deepEqual(asked, [
    ["Bearer token", undefined],
    ["", "alice"],
  ]);
});

test("the secret is in a new file of its user alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stillage-secret-"));
  try {
    const socket = join(folder, "receive.socket");
    await writeFile(`${socket}.secret`, "an older one", { mode: 0o644 });
    await writeSecret(socket, "new");
    assert.equal(await readFile(`${socket}.secret`, "utf8"), "new");
    assert.equal((await stat(`${socket}.secret`)).mode & 0o777, 0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("names come percent-encoded, and are printable", () => {
  assert.equal(onBehalfOf(undefined), undefined);
  assert.equal(onBehalfOf("ci-1"), "ci-1");
  assert.equal(onBehalfOf("J%C3%BCrgen%20%25"), "Jürgen %");
  for (const bad of ["", "%", "%ff", "%00", "a%0Ab", "%E2%80%AE", "x".repeat(201)]) {
    assert.throws(() => onBehalfOf(bad), { code: "invalid" }, bad);
  }
});
