import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblems } from "./load.ts";
import { parseYaml, type YamlFile } from "./yaml-file.ts";

const text = `# the cache
store: 007
tls: &tls
  certificate: 'a: b'
listeners:
- address: x
  tls: *tls
-
  push: on
`;

function parse(yaml: string): YamlFile {
  const file = parseYaml("some.yaml", yaml);
  if (isProblems(file)) throw new Error(file[0]?.message);
  return file;
}

test("words and numbers are the texts that stand there", () => {
  assert.deepEqual(parse(text).content, {
    store: "007",
    tls: { certificate: "a: b" },
    listeners: [{ address: "x", tls: { certificate: "a: b" } }, { push: "on" }],
  });
  for (const empty of ["", "# nothing\n", "---\n"]) assert.deepEqual(parse(empty).content, {});
});

test("each value and key has a place", () => {
  const file = parse(text);
  const places: readonly (readonly [(string | number)[], boolean, string])[] = [
    [[], false, "2:1"],
    [["store"], false, "2:8"],
    [["store"], true, "2:1"],
    [["listeners", 0], false, "6:3"],
    [["listeners", 0, "address"], false, "6:12"],
    [["listeners", 0, "tls", "certificate"], false, "4:16"],
    [["listeners", 1, "push"], true, "9:3"],
    [["listeners", 1, "address"], false, "9:3"],
    [["nowhere", "at", "all"], false, "2:1"],
  ];
  for (const [path, ofKey, place] of places)
    assert.equal(file.position(path, ofKey), `some.yaml:${place}`, path.join("."));
});

test("any text is a mapping or a list of problems, each with its place", () => {
  const scraps = fc.constantFrom(
    "a",
    ": ",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "&x ",
    "*x",
    "'",
    '"',
    "|\n",
    "#",
    "!!int ",
    "<<",
    "? ",
    "\t",
    "\0",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(scraps).map((all) => all.join("")),
      ),
      (yaml) => {
        const file = parseYaml("some.yaml", yaml);
        if (!isProblems(file)) return assert.match(file.position(["a", 0, "b"]), /^some\.yaml:[1-9]\d*:[1-9]\d*$/);
        assert.ok(file.length > 0);
        for (const { origin, message } of file) {
          assert.match(origin, /^some\.yaml:[1-9]\d*:[1-9]\d*$/);
          assert.match(message, /^[^\n]+$/);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
