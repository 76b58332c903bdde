import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryTenant } from "./tenant.fixture.ts";
import { tenantsOf } from "./tenant.ts";

test("a tenant is found by its exact name, and any other name is not found", () => {
  const all = ["", "a", "a/b"].map((name) => memoryTenant(name));
  const tenants = tenantsOf(all);
  for (const each of all) assert.equal(tenants.find(each.name), each);
  for (const name of ["b", "a/", "/a", "A", "a/b/c", "__proto__", "x".repeat(10_000)]) {
    assert.throws(() => tenants.find(name), { code: "not-found" });
  }
});
