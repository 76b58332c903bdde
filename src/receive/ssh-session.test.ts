import assert from "node:assert/strict";
import { test } from "node:test";
import { SshSession } from "./ssh-session.ts";

const never = new AbortController().signal;
const gone = { code: "cancelled", message: "the connection of whoever asked is gone" };

test("a session lasts as long as the process that began it", () => {
  let parent = 4711;
  using session = new SshSession(never, () => parent);
  session.check();
  assert.equal(session.signal.aborted, false);
  parent = 1;
  assert.throws(() => session.check(), gone);
  assert.equal(session.signal.aborted, true);
});

test("one that had ended before it was looked at is none", () => {
  using session = new SshSession(never, () => 1);
  assert.throws(() => session.check(), gone);
});

test("it ends with what interrupts the command, and with who finds nobody there", () => {
  using interrupted = new SshSession(AbortSignal.abort(new Error("stopped")), () => 4711);
  assert.throws(() => interrupted.check(), { message: "stopped" });
  using ended = new SshSession(never, () => 4711);
  ended.end();
  assert.throws(() => ended.check(), gone);
});
