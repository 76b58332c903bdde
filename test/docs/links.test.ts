import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { checkout } from "../clients/support/checkout.ts";
import { blocksOf, codeSpans, relativeLinks } from "./markdown.ts";

const pages = globSync(["*.md", "{bench,docs,test}/**/*.md"], { cwd: checkout });
const targets = new Set(
  ["Makefile", "test/clients/targets.mk"]
    .map((file) => readFileSync(join(checkout, file), "utf8"))
    .flatMap((rules) => [...rules.matchAll(/^([a-z0-9-]+):/gm)])
    .map(([, target]) => target),
);

/** Inline code that names one file or folder of the checkout. */
const ownPath = /^(src|test|scripts|bench|proto|docs|bin|\.ci)\/[\w./-]*$/;

for (const page of pages) {
  const text = readFileSync(join(checkout, page), "utf8");

  test(`${page}: what it links to is there`, () => {
    const lost = relativeLinks(text).filter((link) => !existsSync(join(checkout, dirname(page), link)));
    assert.deepEqual(lost, []);
  });

  test(`${page}: the files and folders that it names are there`, () => {
    const lost = codeSpans(text).filter((code) => ownPath.test(code) && !existsSync(join(checkout, code)));
    assert.deepEqual(lost, []);
  });

  test(`${page}: the make targets that it names are there`, () => {
    const code = [...codeSpans(text), ...blocksOf(text).map((block) => block.text)].join("\n");
    const named = [...code.matchAll(/^make ([a-z][a-z0-9-]*)/gm)].map(([, target]) => target);
    assert.deepEqual(
      named.filter((target) => !targets.has(target)),
      [],
    );
  });
}
