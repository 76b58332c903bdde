import { test } from "node:test";
import fc from "fast-check";
import { bad } from "../config/check.ts";
import { instanceName } from "../config/instance-name.ts";
import { directoryOfTenant } from "../store/disk/tenant-name.ts";

test("the store has a place for every instance name that can be configured", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      if (instanceName(text, [], () => {}) !== bad) directoryOfTenant(text);
    }),
  );
  directoryOfTenant("/é".repeat(26));
});
