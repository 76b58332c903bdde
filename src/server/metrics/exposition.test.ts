import assert from "node:assert/strict";
import { test } from "node:test";
import { exposition } from "./exposition.ts";
import { type Family, single } from "./family.ts";
import { Latency } from "./latency.ts";

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
    exposition(families),
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
