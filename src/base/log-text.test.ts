import assert from "node:assert/strict";
import { test } from "node:test";
import { showRecord } from "./log-text.ts";

const time = "2026-11-21T05:19:07.348Z";

test("a record is one line, with its fields behind the message", () => {
  assert.equal(showRecord({ level: "info", time, msg: "ready" }), "05:19:07 info  ready\n");
  const record = { level: "warn", time, msg: "full", bytes: 5, of: "a store", list: [1, { a: "b" }], nothing: null };
  assert.equal(showRecord(record), '05:19:07 warn  full  bytes=5 of="a store" list=[1,{"a":"b"}] nothing=null\n');
  assert.equal(showRecord({ level: "debug", time, path: "/a=b" }), "05:19:07 debug   path=/a=b\n");
});

test("an error shows its stack below, or what it says", () => {
  const stack = "Error: no\n    at somewhere";
  assert.equal(
    showRecord({ level: "error", time, msg: "no", err: { message: "no", stack } }),
    "05:19:07 error no\n  Error: no\n      at somewhere\n",
  );
  assert.equal(showRecord({ level: "error", time, msg: "x", err: { message: "no" } }), "05:19:07 error x\n  no\n");
});

test("what came from outside cannot steer the terminal", () => {
  const evil = "a\u001b[2Jb\nc\u009b";
  const shown = showRecord({ level: "info", time, msg: evil, name: evil, list: [evil], err: { stack: evil } });
  assert.doesNotMatch(shown.replaceAll("\n  ", "").trimEnd(), /\p{Cc}/u);
  assert.match(shown, /a\\x1b\[2Jb\\x0ac\\x9b/);
});
