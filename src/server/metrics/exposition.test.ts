import assert from "node:assert/strict";
import { test } from "node:test";
import { exposition } from "./exposition.ts";
import { type Family, single } from "./family.ts";
import { Latency } from "./latency.ts";
import { addedUp, Meters } from "./meters.ts";

function metersOf(families: readonly Family[]): Meters {
  const meters = new Meters();
  meters.add(families);
  return meters;
}

test("families are shown in the text format", () => {
  const latency = new Latency();
  for (const ms of [0.25, 0.5, 0.75, 3000, 1e6]) latency.add(ms);
  const families: Family[] = [
    single("gauge", "a_bytes", "What\nthere \\ is", () => Infinity),
    {
      ...{ name: "b_total", type: "counter", help: "b", labels: ["x", "y"] },
      collect: (samples) => samples.value(2.5, 'a"b\\c\nd', ""),
    },
    { ...{ name: "c_seconds", type: "histogram", help: "c", labels: ["m"] }, collect: (s) => s.latency(latency, "M") },
  ];
  assert.equal(
    exposition(metersOf(families).read()),
    `# HELP a_bytes What\\nthere \\\\ is
# TYPE a_bytes gauge
a_bytes +Inf
# HELP b_total b
# TYPE b_total counter
b_total{x="a\\"b\\\\c\\nd",y=""} 2.5
# HELP c_seconds c
# TYPE c_seconds histogram
c_seconds_bucket{m="M",le="0.0005"} 2
c_seconds_bucket{m="M",le="0.002"} 3
c_seconds_bucket{m="M",le="0.01"} 3
c_seconds_bucket{m="M",le="0.05"} 3
c_seconds_bucket{m="M",le="0.25"} 3
c_seconds_bucket{m="M",le="1"} 3
c_seconds_bucket{m="M",le="5"} 4
c_seconds_bucket{m="M",le="30"} 4
c_seconds_bucket{m="M",le="+Inf"} 5
c_seconds_sum{m="M"} 1003.0015
c_seconds_count{m="M"} 5
`,
  );
});

test("what several threads say adds up", () => {
  const thread = (calls: Readonly<Record<string, number>>, ms: number): Meters => {
    const latency = new Latency();
    latency.add(ms);
    return metersOf([
      {
        ...{ name: "a_total", type: "counter", help: "a", labels: ["x"] },
        collect: (samples) => {
          for (const [x, count] of Object.entries(calls)) samples.value(count, x);
        },
      },
      { ...{ name: "b_seconds", type: "histogram", help: "b", labels: [] }, collect: (s) => s.latency(latency) },
    ]);
  };
  const readings = [thread({ a: 1, b: 2 }, 1), thread({ b: 3, c: 4 }, 3)].map((each) => structuredClone(each.read()));
  const alone = metersOf([single("gauge", "c", "c", () => 7)]).read();
  const lines = exposition(addedUp([...readings, alone])).split("\n");
  assert.deepEqual(
    lines.filter((each) => !each.startsWith("#") && !each.endsWith(" 0")),
    [
      ...['a_total{x="a"} 1', 'a_total{x="b"} 5', 'a_total{x="c"} 4', 'b_seconds_bucket{le="0.002"} 1'],
      ...["0.01", "0.05", "0.25", "1", "5", "30", "+Inf"].map((le) => `b_seconds_bucket{le="${le}"} 2`),
      ...["b_seconds_sum 0.004", "b_seconds_count 2", "c 7", ""],
    ],
  );
});
