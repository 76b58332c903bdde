import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblems } from "../config/load.ts";
import { showProblem } from "../config/problem.ts";
import type { Node } from "./node.ts";
import { parseNodes } from "./read-nodes.ts";

/** A node without its places. */
function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.text;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}

function read(text: string, aliases = false): unknown {
  const root = parseNodes("f", text, aliases);
  return isProblems(root) ? root.map(showProblem) : plain(root);
}

test("words and numbers are texts, nothing is the empty text", () => {
  const text = "a: true\nb: 010\nc:\nd: [1.50, null, ~]\ne: {f: 'x y'}\n";
  assert.deepEqual(read(text), { a: "true", b: "010", c: "", d: ["1.50", "null", "~"], e: { f: "x y" } });
});

test("nothing at all is an empty mapping", () => {
  for (const text of ["", "# nothing\n", "---\n"]) assert.deepEqual(read(text), {});
});

test("each value and key has its place", () => {
  const root = parseNodes("f", "a:\n  - b: 1\n    c:\n", false);
  assert.ok(!isProblems(root));
  const list = root.entries.get("a")?.value;
  const map = list?.kind === "list" ? list.items[0] : undefined;
  assert.ok(map?.kind === "map");
  assert.deepEqual([root.at, list?.at, map.at], ["f:1:1", "f:2:3", "f:2:5"]);
  assert.equal(map.entries.get("b")?.value.at, "f:2:8");
  assert.equal(map.entries.get("c")?.at, "f:3:5");
});

test("a value that is meant again is for BuildStream 1", () => {
  assert.deepEqual(read("a: &x {b: 1}\nc: [*x, *x]\n", true), { a: { b: "1" }, c: [{ b: "1" }, { b: "1" }] });
  assert.deepEqual(read("a: &x 1\nb: *x\n"), [
    "f:2:4: *x is an alias, which BuildStream 2 does not know; say the value itself",
  ]);
});

test("what is wrong has its place", () => {
  const bomb = `a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n${[1, 2, 3, 4, 5, 6, 7, 8].map((i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]\n`).join("")}`;
  const wrong: readonly [string, RegExp][] = [
    ["- a\n", /^f:1:1: this is not a mapping of settings$/],
    ["word\n", /^f:1:1: this is not a mapping of settings$/],
    ["a: 1\na: 2\n", /^f:2:1: Map keys must be unique$/],
    ["? [a, b]\n: 1\n", /^f:1:3: a key has to be a single word$/],
    ["a: [\n", /^f:2:1: /],
    ["a: &x [*x]\n", /^f:1:8: \*x leads to itself$/],
    [bomb, /^f:1:1: .*alias/],
    [`a: ${"[".repeat(50_000)}`, /^f:\d+:\d+: /],
  ];
  for (const [text, expected] of wrong) {
    const outcome = read(text, true);
    assert.ok(Array.isArray(outcome), text.slice(0, 40));
    assert.match(outcome[0], expected);
  }
});

test("any text is a mapping or has problems, each with its place", () => {
  const pieces = ["a", ":", " ", "\n", "- ", "&x ", "*x", "[", "]", "{", "}", ",", "'", "? ", "!!map ", "|"];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.boolean(), (content, aliases) => {
      const root = parseNodes("f", content, aliases);
      if (isProblems(root))
        assert.ok(root.length > 0 && root.every(({ origin }) => /^f:\d+:\d+$/.test(origin)), content);
      else assert.equal(root.kind, "map");
    }),
    { numRuns: 150 },
  );
});
