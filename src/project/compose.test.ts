import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblems } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { compose } from "./compose.ts";
import type { MapNode, Node } from "./node.ts";
import { parseNodes } from "./read-nodes.ts";

function parse(text: string, file: string): MapNode {
  const root = parseNodes(file, text, false);
  assert.ok(!isProblems(root));
  return root;
}

function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.text;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}

/** What `upper` over `lower` comes to, and what is wrong with it. */
function composed(upper: string, lower: string): [unknown, string[]] {
  const problems: Problem[] = [];
  const result = plain(compose(parse(upper, "upper"), parse(lower, "lower"), problems));
  return [result, problems.map(({ origin, message }) => `${origin}: ${message}`)];
}

test("mappings are merged, values and lists replaced, lists changed as they are told", () => {
  const cases: readonly [upper: string, lower: string, result: unknown][] = [
    ["a: 1\n", "a: 2\nb: 3\n", { a: "1", b: "3" }],
    ["m: {a: 1, n: {b: 2}}\n", "m: {a: 0, n: {c: 3}}\n", { m: { a: "1", n: { b: "2", c: "3" } } }],
    ["l: [1]\n", "l: [2, 3]\n", { l: ["1"] }],
    ["l: {(>): [1], (<): [0]}\n", "l: [2]\n", { l: ["0", "2", "1"] }],
    ["l: {(=): [1], (>): [2]}\n", "l: [3]\n", { l: ["1", "2"] }],
    ["l: {(>): [1]}\n", "l: {(>): [2], (<): [3]}\n", { l: { "(<)": ["3"], "(>)": ["2", "1"] } }],
    ["l: {(<): [1]}\n", "l: {(<): [2]}\n", { l: { "(<)": ["1", "2"], "(>)": [] } }],
    ["l: {(=): [1]}\n", "l: {(>): [2]}\n", { l: { "(<)": [], "(>)": [], "(=)": ["1"] } }],
    ["l: {(>): [1]}\n", "{}\n", { l: { "(>)": ["1"] } }],
    ["l: [1]\n", "l: {(>): [2]}\n", { l: ["1"] }],
    ["(?): [{a: {}}]\n", "(?): [{b: {}}]\n", { "(?)": [{ b: {} }, { a: {} }] }],
  ];
  for (const [upper, lower, result] of cases)
    assert.deepEqual(composed(upper, lower), [result, []], `${upper}over ${lower}`);
});

test("what cannot be put together is reported", () => {
  const cases: readonly [upper: string, lower: string, problem: string][] = [
    ["a: [1]\n", "a: 1\n", "upper:1:4: a: a list cannot take the place of a single value at lower:1:4"],
    ["a: 1\n", "a: {b: 2}\n", "upper:1:4: a: a single value cannot take the place of a mapping at lower:1:4"],
    [
      "a: {(>): [1]}\n",
      "a: {b: 2}\n",
      "upper:1:4: a: what changes a list cannot take the place of a mapping at lower:1:4",
    ],
    ["a: {(>): [1], b: 2}\n", "a: {b: 1}\n", "upper:1:4: (>) cannot stand beside other keys"],
  ];
  for (const [upper, lower, problem] of cases) assert.deepEqual(composed(upper, lower)[1], [problem], upper);
});
