import assert from "node:assert/strict";
import { test } from "node:test";
import { onBehalfOf, receiveListener } from "./receive-socket.ts";
import type { ServerOptions } from "./server-options.ts";

const options = (store: string, receiveSocket: string | undefined) => ({ store, receiveSocket }) as ServerOptions;

test("the socket is in the store's directory, elsewhere, or nowhere", () => {
  const rest = { push: true, tls: undefined };
  assert.deepEqual(receiveListener(options("/srv/store", "auto")), {
    ...rest,
    address: "unix:/srv/store/receive.socket",
    receive: "if possible",
  });
  assert.deepEqual(receiveListener(options("/srv/store", "/run/push")), {
    ...rest,
    address: "unix:/run/push",
    receive: "wanted",
  });
  assert.equal(receiveListener(options("/srv/store", undefined)), undefined);
});

test("where its path is too long there is none, unless it is wanted just there", () => {
  const long = `/${"x".repeat(107)}`;
  assert.equal(receiveListener(options(long, "auto")), undefined);
  assert.throws(() => receiveListener(options("/srv", long)), { code: "failed-precondition", message: /at most 107/ });
});

test("names come percent-encoded, and are printable", () => {
  assert.equal(onBehalfOf(undefined), undefined);
  assert.equal(onBehalfOf("ci-1"), "ci-1");
  assert.equal(onBehalfOf("J%C3%BCrgen%20%25"), "Jürgen %");
  for (const bad of ["", "%", "%ff", "%00", "a%0Ab", "%E2%80%AE", "x".repeat(201)]) {
    assert.throws(() => onBehalfOf(bad), { code: "invalid" }, bad);
  }
});
