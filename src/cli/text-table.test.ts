import assert from "node:assert/strict";
import { test } from "node:test";
import { textTable } from "./text-table.ts";

const columns = [{ title: "NAME", flexible: true }, { title: "SIZE" }];

test("columns are aligned under their titles", () => {
  const table = textTable(
    columns,
    [
      ["a", "1 B"],
      ["long-name", "20 B"],
    ],
    80,
  );
  assert.equal(table, "NAME       SIZE\na          1 B\nlong-name  20 B\n");
});

test("a line that is too long loses the middle of what may be cut", () => {
  const table = textTable(columns, [["components-with-a-very-long-name", "1 B"]], 24);
  assert.equal(table, "NAME                SIZE\ncomponent…ong-name  1 B\n");
  for (const line of table.split("\n")) assert.ok(line.length <= 24, line);
});

test("nothing else is cut, however narrow the terminal is", () => {
  const table = textTable(columns, [["short", "123456789 bytes"]], 5);
  assert.ok(table.includes("short"));
  assert.ok(table.includes("123456789 bytes"));
});
