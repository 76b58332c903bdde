import assert from "node:assert/strict";
import { it } from "node:test";
import { unidentified } from "../../base/caller.ts";
import { Readiness } from "../readiness.ts";
import { ask } from "./asking.fixture.ts";
import { pages } from "./pages.ts";

it("a page that is not there is told what is", async () => {
  const others = ["/ostree", "/releases/"];
  const door = pages({ readiness: new Readiness(), metrics: async () => "", status: () => ({}), others });
  const { status, body } = await ask(door, "/nowhere", { caller: unidentified });
  const said = "no such page; there are /ostree, /releases/, /healthz, /readyz, /metrics and /status\n";
  assert.deepEqual([status, body.toString()], [404, said]);
});
