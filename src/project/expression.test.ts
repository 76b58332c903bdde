import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { conditionHolds, ExpressionError, type Value } from "./expression.ts";

// That BuildStream decides the same is test/clients/remotes-configuration.test.ts.
const options = new Map<string, Value>([
  ["where", "work"],
  ["fast", true],
  ["parts", ["a", "c"]],
]);

test("a condition holds, or does not", () => {
  assert.equal(conditionHolds(`where in ("home", "work") and not ('b' in parts)`, options), true);
  assert.equal(conditionHolds("not fast or where != 'work'", options), false);
});

test("what is wrong has its reason", () => {
  const reasons: readonly [string, string][] = [
    ["", "it ends too early"],
    ["slow", "there is no option slow"],
    ["fast fast", '"fast" is not understood here'],
    ["where | upper", '"| upper" is not understood here'],
    ["where.upper()", '".upper()" is not understood here'],
    ["fast is defined", '"is" is not understood here'],
    ["fast == not", '"not" is not understood here'],
    ["(fast, parts", `")" is missing`],
    ['"a" in fast', "`in` needs a list, or two texts"],
    ['"a" < 1', "values of different kinds have no order"],
    ["(".repeat(5000), "it is nested too deeply"],
    ["x".repeat(20_000), "it is too long"],
  ];
  for (const [expression, reason] of reasons) {
    assert.throws(() => conditionHolds(expression, options), new ExpressionError(reason), expression.slice(0, 40));
  }
});

test("any text is decided or refused", () => {
  const pieces = [
    "where",
    "fast",
    "parts",
    "and",
    "or",
    "not",
    "in",
    "==",
    "<",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'a'",
    "1",
    "not in",
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(" ")),
    fc.string({ maxLength: 40 }),
  );
  const decide = (expression: string): void => {
    try {
      assert.equal(typeof conditionHolds(expression, options), "boolean");
    } catch (error) {
      assert.ok(error instanceof ExpressionError, String(error));
    }
  };
  fc.assert(fc.property(text, decide), { numRuns: 150 });
});
