import assert from "node:assert/strict";
import { test } from "node:test";
import { terminalText } from "./terminal-text.ts";

function shown(...pieces: (string | Uint8Array)[]): string {
  const text = terminalText();
  return pieces.map((piece) => text.add(typeof piece === "string" ? Buffer.from(piece) : piece)).join("") + text.end();
}

test("lines, tabs and colours of a log stay, and nothing else that acts on a terminal", () => {
  assert.equal(shown("a\tb\r\nc\\d\n"), "a\tb\nc\\d\n");
  assert.equal(shown("\u001b[1;31mred\u001b[0m"), "\u001b[1;31mred\u001b[0m");
  assert.equal(
    shown("\u001b]0;title\u0007\u001b[2J\rx\u009b1m\u202e"),
    "\\x1b]0;title\\x07\\x1b[2J\\x0dx\\x9b1m\\u{202e}",
  );
});

test("what is cut anywhere is shown as the whole is", () => {
  const bytes = Buffer.from("é\u001b[31mred\r\n\u001b[2J船\u001b");
  const whole = shown(bytes);
  for (let i = 0; i <= bytes.length; i++)
    assert.equal(shown(bytes.subarray(0, i), bytes.subarray(i)), whole, String(i));
});
