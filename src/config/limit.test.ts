import assert from "node:assert/strict";
import { test } from "node:test";
import { checked, messages } from "./checking.fixture.ts";
import { limit, showLimit } from "./limit.ts";

const nothing = { instance: undefined, space: undefined, size: undefined, age: undefined };

test("a limit is a line or a mapping", () => {
  const cases: readonly (readonly [unknown, object])[] = [
    ["size=10GiB", { ...nothing, size: 10 * 2 ** 30 }],
    [
      "instance=team/a,space=action,size=1G,age=30d",
      { instance: "team/a", space: "action", size: 1e9, age: 2_592_000_000 },
    ],
    ["instance=,age=1h", { ...nothing, instance: "", age: 3_600_000 }],
    [
      { space: "asset", age: "2d" },
      { ...nothing, space: "asset", age: 172_800_000 },
    ],
    [
      { instance: "a,b", size: "5" },
      { ...nothing, instance: "a,b", size: 5 },
    ],
  ];
  for (const [given, value] of cases) {
    assert.deepEqual(checked(limit, given), { value });
    assert.deepEqual(checked(limit, showLimit(value as Parameters<typeof showLimit>[0])), { value });
  }
});

test("everything that is wrong with a limit is said", () => {
  const cases: readonly (readonly [unknown, readonly RegExp[]])[] = [
    ["", [/there is no key ""/]],
    ["space=action", [/limits nothing/]],
    [{}, [/limits nothing/]],
    ["space=actions,size=x", [/"actions" is not one of action, asset/, /"x" is not a size/]],
    ["sice=1G", [/"sice"; did you mean size\?/]],
    ["size=1G,size=2G", [/size is there twice/]],
    ["size=,age=1d", [/size has no value/]],
    ["size=0", [/"0" is not a size/]],
    ["age=30", [/"30" is not a time/]],
    ["instance=a//b,age=1d", [/"a\/\/b" is not an instance name/]],
    [{ size: "1G", quota: "2G" }, [/no such key/]],
    [7, [/7 is not a mapping/]],
  ];
  for (const [given, expected] of cases) {
    const said = messages(limit, given);
    assert.equal(said.length, expected.length, said.join("\n"));
    for (const [i, each] of expected.entries()) assert.match(said[i] ?? "", each);
  }
});
