import assert from "node:assert/strict";
import { test } from "node:test";
import { loginCommand } from "./login-command.ts";

test("the programs that may be asked for, by name or path", () => {
  for (const [line, program, args] of [
    ["ostree-receive -n os http://127.0.0.1:4000 a/b", "ostree-receive", ["-n", "os", "http://127.0.0.1:4000", "a/b"]],
    ["ostree-receive-1 os http://127.0.0.1:4000", "ostree-receive", ["os", "http://127.0.0.1:4000"]],
    ["/usr/bin/ostree-receive --version", "ostree-receive", ["--version"]],
    ["bst-artifact-receive --verbose /srv/artifacts", "bst-artifact-receive", ["--verbose", "/srv/artifacts"]],
    ["stillage release list 'a b'", "release", ["list", "a b"]],
    ["stillage release", "release", []],
  ] as const) {
    assert.deepEqual(loginCommand(line), { program, args }, line);
  }
});

test("another version of the receiver is not there, so that clients try the next", () => {
  assert.equal(loginCommand("ostree-receive-2 os http://127.0.0.1:4000"), undefined);
  assert.equal(loginCommand("ostree-receive-0 os http://127.0.0.1:4000"), undefined);
});

test("everything else is refused", () => {
  for (const line of [
    undefined,
    "",
    "  ",
    "sh",
    "stillage",
    "stillage store sweep",
    "stillage serve",
    "'' ostree-receive",
    "ostree-receive-",
    "ostree-receive-x",
    "ostree-receive; sh",
    "scp -t /",
  ]) {
    assert.throws(() => loginCommand(line), { code: "invalid" }, String(line));
  }
});
