import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { kinds } from "./findings.ts";

it("every finding stands in docs/CHECKS.md, with what it means and what a repair does", () => {
  const text = readFileSync(new URL("../../docs/CHECKS.md", import.meta.url), "utf8");
  for (const [kind, { severity, meaning, repair }] of Object.entries(kinds)) {
    const name = `\`${kind}\`${severity === "note" ? " (note)" : ""}`;
    assert.ok(text.includes(`| ${name} | ${meaning} | ${repair} |\n`), kind);
  }
});
