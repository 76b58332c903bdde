import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode } from "../base/gvariant/gvariant.ts";
import { layOutSummary, type SummaryRef, summaryBytesAtMost, summaryRefBytes } from "./summary-layout.ts";

const type = "(a(s(taya{sv}))a{sv})";
const noMetadata = new Uint8Array(0);

function generally(refs: readonly SummaryRef[]): Uint8Array {
  const list = refs.map(({ name, commit, commitSize, timestamp }) => {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(timestamp));
    const metadata = [["ostree.commit.timestamp", { type: "t", value: time.readBigUInt64LE() }]];
    return [name, [BigInt(commitSize), commit, metadata]];
  });
  return encode(type, [list, []] as never);
}

const someRef = fc.record({
  name: fc.string({ unit: fc.constantFrom(..."abc-/_.19"), minLength: 1, maxLength: 300 }),
  commit: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  commitSize: fc.nat(),
  timestamp: fc.nat({ max: 2 ** 40 }),
});

test("a summary is what the general encoder makes, whatever its size", async () => {
  const counts = [0, 1, 2, 3, 200, 380, 400];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...counts),
      fc.array(someRef, { minLength: 5, maxLength: 5 }),
      async (count, some) => {
        const refs = Array.from({ length: count }, (_, i) => some[i % some.length] as SummaryRef);
        const bytes = await layOutSummary(refs, noMetadata);
        assert.deepEqual(Buffer.from(bytes), Buffer.from(generally(refs)));
        const sum = refs.reduce((all, { name }) => all + ((summaryRefBytes(name) + 7) & ~7), 0);
        assert.ok(bytes.length <= summaryBytesAtMost(refs.length, sum, 0));
      },
    ),
    { numRuns: 60 },
  );
});
