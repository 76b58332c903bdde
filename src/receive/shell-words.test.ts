import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { shellWords } from "./shell-words.ts";

test("words with quotes and backslashes are those that a shell sees", () => {
  for (const [line, words] of [
    ["", []],
    ["   ", []],
    [
      "ostree-receive -n os http://127.0.0.1:40123 a/b c",
      ["ostree-receive", "-n", "os", "http://127.0.0.1:40123", "a/b", "c"],
    ],
    ["  a   b ", ["a", "b"]],
    [`'a b' "c d" e\\ f`, ["a b", "c d", "e f"]],
    [`a'b'"c"\\d`, ["abcd"]],
    [`'' ""`, ["", ""]],
    [`"\\$ \\\` \\" \\\\ \\n 'x'" '\\"$'`, ["$ ` \" \\ \\n 'x'", '\\"$']],
    ["x=y @%+,:-_^./ é 💾", ["x=y", "@%+,:-_^./", "é", "💾"]],
    ["'*' \\; \"?\"", ["*", ";", "?"]],
  ] as const) {
    assert.deepEqual(shellWords(line), words, line);
  }
});

test("what would need a shell, does not end or hides something is refused", () => {
  for (const [line, message] of [
    ["a; b", /^; in the command line would need a shell/],
    ["a && b", /^& in/],
    ["a | b", /^\| in/],
    ["a $(b)", /^\$ in/],
    ['a "$b"', /^\$ in/],
    ['a "`b`"', /^` in/],
    ["a > b", /^> in/],
    ["a *", /^\* in/],
    ["~/a", /^~ in/],
    ["a 'b", /^nothing ends the '/],
    ['a "b', /^nothing ends the "/],
    ['a "b\\', /^nothing ends the "/],
    ["a \\", /^nothing ends the \\/],
    ["a\nb", /control character/],
    ["a\tb", /control character/],
    ["a\u001b[2J", /control character/],
    ["a\u0000", /control character/],
    ["a".repeat(131_073), /longer than 131072/],
  ] as const) {
    assert.throws(() => shellWords(line), { code: "invalid", message }, line);
  }
});

test("any words come back from their quoted form", () => {
  const printing = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/\p{Cc}/gu, ""));
  const single = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const double = (word: string): string => `"${word.replaceAll(/[$`"\\]/g, "\\$&")}"`;
  fc.assert(
    fc.property(fc.array(printing), fc.boolean(), (words, twice) => {
      assert.deepEqual(shellWords(words.map(twice ? double : single).join(" ")), words);
    }),
  );
});
