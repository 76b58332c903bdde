import assert from "node:assert/strict";
import { test } from "node:test";
import { loopbackPort, receiveRequest } from "./ostree-receive-arguments.ts";

const plain = { refs: [], dryRun: false, force: false, verbosity: "normal" };

test("the arguments of the receiver, options anywhere", () => {
  const url = "http://127.0.0.1:40123";
  const asked = { ...plain, repository: "os", port: 40_123 };
  for (const [args, expected] of [
    [["os", url], asked],
    [["-n", "os", url, "a/b", "c"], { ...asked, dryRun: true, refs: ["a/b", "c"] }],
    [["os", url, "a", "--force", "--no-update"], { ...asked, refs: ["a"], force: true }],
    [["-nf", "-q", "os", url], { ...asked, dryRun: true, force: true, verbosity: "quiet" }],
    [["-v", "os", "http://localhost:40123/"], { ...asked, verbosity: "verbose" }],
    [["os", url, "--", "-x"], { ...asked, refs: ["-x"] }],
  ] as const) {
    assert.deepEqual(receiveRequest(args), expected, args.join(" "));
  }
  assert.equal(receiveRequest(["--version"]), "version");
  assert.equal(receiveRequest(["-h"]), "help");
});

test("what is missing or unknown, and what versions before 0.1.1 say", () => {
  for (const [args, code, message] of [
    [[], "invalid", /^usage: ostree-receive/],
    [["os"], "invalid", /^usage: ostree-receive/],
    [["--frobnicate", "os", "http://127.0.0.1:4000"], "invalid", /^usage: ostree-receive/],
    [["--repo=/srv/os"], "unsupported", /older than 0\.1\.1/],
    [["--repo", "/srv/os"], "unsupported", /older than 0\.1\.1/],
  ] as const) {
    assert.throws(() => receiveRequest(args), { code, message }, args.join(" "));
  }
});

test("only ports of the loopback address are asked", () => {
  assert.equal(loopbackPort("http://127.0.0.1:1024"), 1024);
  assert.equal(loopbackPort("http://localhost:65535/"), 65_535);
  for (const url of [
    "",
    "http://127.0.0.1",
    "http://127.0.0.1:80",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:04000",
    "https://127.0.0.1:4000",
    "http://127.0.0.2:4000",
    "http://127.0.0.1.example.com:4000",
    "http://example.com:4000",
    "http://[::1]:4000",
    "http://a@127.0.0.1:4000",
    "http://127.0.0.1:4000@example.com",
    "http://127.0.0.1:4000/repo",
    "http://127.0.0.1:4000/?a",
    "http://127.0.0.1:4000#a",
    "http://localhost:4000\n",
    "file:///srv/os",
  ]) {
    assert.throws(() => loopbackPort(url), { code: "invalid" }, url);
  }
});
