import assert from "node:assert/strict";
import { test } from "node:test";
import { artifactReceiveFlags } from "./artifact-receive-flags.ts";

test("a pusher says how much he wants to read, and nothing else", () => {
  assert.deepEqual(artifactReceiveFlags(["--verbose", "--debug", "/srv/artifacts"]), ["--verbose", "--debug"]);
  assert.deepEqual(artifactReceiveFlags(["/srv/artifacts"]), []);
  assert.deepEqual(artifactReceiveFlags([]), []);
  for (const args of [
    ["--pull-url", "http://elsewhere", "a"],
    ["--as=root"],
    ["a", "b"],
    ["--server=unix:/run/x", "a"],
  ]) {
    assert.throws(() => artifactReceiveFlags(args), { code: "invalid", message: /^usage: bst-artifact-receive/ });
  }
});
