import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rule } from "../config/access.ts";
import { Publisher } from "./publisher.ts";

const rule: Rule = {
  who: { kind: "ssh", name: "ci-*" },
  may: ["release"],
  instances: ["main"],
  repositories: ["os"],
  branches: ["stable/*"],
};

test("without rules everybody may publish everywhere, with them where they say", () => {
  new Publisher("anybody", undefined).checkBranches("os", ["a", "b"]);
  const ci = new Publisher("ci-1", [rule]);
  ci.checkRepository("os");
  ci.checkBranches("os", ["stable/1", "stable/2"]);
  ci.checkBranches("os", []);
  assert.throws(() => ci.checkRepository("apps"), { code: "forbidden", message: "ci-1 may not release in apps" });
  assert.throws(() => ci.checkBranches("os", ["stable/1", "devel/1", "devel/2"]), {
    code: "forbidden",
    message: 'ci-1 may not release on "devel/1", "devel/2" in os; nothing was published',
  });
  new Publisher("anybody", undefined).checkInstance("main");
  ci.checkInstance("main");
  assert.throws(() => ci.checkInstance("other"), {
    code: "forbidden",
    message: 'ci-1 may not pull in the instance "other"',
  });
  assert.throws(() => new Publisher("ci", []).checkRepository("os"), { code: "forbidden" });
});
