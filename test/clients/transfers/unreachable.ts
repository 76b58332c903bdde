import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { cacheAt } from "../support/own-client.ts";
import { unusedPort } from "../support/port.ts";
import type { Built } from "./built.ts";
import { ownAt, results } from "./with-bst2.ts";

/** What servers that do not answer may cost the first command, all together. */
const firstMs = 20_000;

/** Servers that are of no use, before one that is. */
export function testUnreachable(built: () => Promise<Built>): void {
  test("a dead, a silent and a refusing remote cost the first command seconds, and the next ones nothing", async () => {
    const { site, server, names } = await built();
    const own = await ownAt(site, "own");
    const machine = await site.machine("patient");
    let silentCalls = 0;
    const silent = createServer(() => {
      silentCalls += 1;
    });
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const silentAddress = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    // Closes each connection as soon as it is there.
    await using refusing = await startFaultProxy(server.address, () => ({
      down: { cutAfter: 0 },
      up: { cutAfter: 0 },
    }));
    const dead = `127.0.0.1:${await unusedPort()}`;
    const left = [dead, silentAddress, refusing.address];
    const pull = ["artifact", "pull", ...cacheAt(machine, ...left, server.address)];
    try {
      const began = performance.now();
      const first = await own.ok(...pull, names[0] as string);
      assert.ok(performance.now() - began < firstMs);
      assert.deepEqual(results(first), { pulled: 1 });
      const told = (stdout: string) => stdout.split("\n").filter((line) => line.includes('"left out"'));
      assert.equal(told(first.stdout).length, left.length, first.stdout);
      for (const address of left)
        assert.equal(told(first.stdout).filter((line) => line.includes(`${address}"`)).length, 1, first.stdout);
      assert.ok(silentCalls > 0);
      const calls = silentCalls;
      const second = await own.ok(...pull, ...names);
      const remembered = told(second.stdout).filter((line) => line.includes('"remembered":true'));
      // Who refuses at once costs nothing, and may be back.
      assert.deepEqual([remembered.length, remembered[0]?.includes(silentAddress)], [1, true], second.stdout);
      assert.equal(silentCalls, calls);
    } finally {
      silent.close();
    }
  });
}
