import assert from "node:assert/strict";
import { test } from "node:test";
import { openSite } from "../support/site.ts";
import { assertAllPulled, assertQueue } from "./inspect.ts";

/** A server with hardly any room. */
export function testLimits(version: string): void {
  test("where a server does little at a time, clients wait and try again, and nothing fails", async () => {
    await using site = await openSite(version);
    const server = await site.serve(["--max-calls", "2", "--max-uploads", "1"]);
    const caches = (push: boolean) => {
      // BuildStream's own patience.
      const entry = { url: `http://${server.address}`, push, "connection-config": {} };
      return { artifacts: [entry], sources: [entry] };
    };
    const machines = [await site.machine("one", caches(true)), await site.machine("two", caches(true))] as const;
    const built = await Promise.all(machines.map((machine) => machine.ok(site.project, "build", "all.bst")));
    for (const each of built) assertQueue(each, "Push", "failed", 0);
    const pulls = await Promise.all(
      ["three", "four"].map(async (name) => {
        const machine = await site.machine(name, caches(false));
        return machine.ok(site.project, "build", "--deps", "all", "all.bst");
      }),
    );
    for (const pulled of pulls) assertAllPulled(pulled);
    const metrics = await (await fetch(`http://${server.address}/metrics`)).text();
    const refused = Number(/^stillage_server_refused_total\{limit="calls"\} (\d+)$/m.exec(metrics)?.[1]);
    assert.ok(refused > 0, `${refused} calls were refused`);
  });
}
