import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StillageError } from "../base/errors.ts";
import type { PipelineEvent } from "../client/pipeline/pipeline-events.ts";
import { BuildLines, secondsText } from "./build-lines.ts";
import { viewLines } from "./build-view.ts";

describe("what a build tells while it runs", () => {
  const why = new StillageError("unavailable", "the server\nis gone");
  const events: PipelineEvent[] = [
    { at: 0, kind: "queued", queue: "pull", element: "a.bst" },
    { at: 0, kind: "started", queue: "pull", element: "a.bst", attempt: 1 },
    { at: 100, kind: "retrying", queue: "pull", element: "a.bst", afterMs: 5, why },
    { at: 105, kind: "queued", queue: "pull", element: "a.bst" },
    { at: 105, kind: "started", queue: "pull", element: "a.bst", attempt: 2 },
    { at: 200, kind: "ended", queue: "pull", element: "a.bst", result: "missing" },
    { at: 200, kind: "queued", queue: "build", element: "a.bst" },
    { at: 300, kind: "started", queue: "build", element: "a.bst", attempt: 1 },
  ];

  it("has a line with tabs for each thing that was done", () => {
    const lines = new BuildLines(false);
    const refused = new StillageError("failed-precondition", "a.bst: no answer");
    const more: PipelineEvent[] = [
      { at: 300, kind: "queued", queue: "fetch", element: "a.bst" },
      { at: 300, kind: "started", queue: "fetch", element: "a.bst", attempt: 1 },
      { at: 900, kind: "ended", queue: "fetch", element: "a.bst", result: "failed", why: refused },
      { at: 61_300, kind: "ended", queue: "build", element: "a.bst", result: "processed" },
      { at: 61_300, kind: "settled", element: "a.bst", outcome: { kind: "built" } },
      { at: 61_300, kind: "settled", element: "b.bst", outcome: { kind: "blocked", by: "c.bst" } },
      { at: 61_300, kind: "settled", element: "d.bst", outcome: { kind: "present" } },
    ];
    assert.deepEqual(
      [...events, ...more].flatMap((event) => lines.take(event) ?? []),
      [
        "again\t0.1 s\ta.bst\tpull, in 0.0 s: the server\\x0ais gone\n",
        "not fetched\t0.6 s\ta.bst\tno answer\n",
        "built\t1:01\ta.bst\n",
        "blocked\t\tb.bst\tit needs c.bst\n",
      ],
    );
  });

  it("shows the queues and what is building", () => {
    const lines = new BuildLines(true);
    for (const event of events) lines.take(event);
    assert.deepEqual(viewLines(lines.tally, 1300), [
      "pull   waiting 0, running 0, done 0, skipped 0, missing 1, failed 0",
      "fetch  waiting 0, running 0, done 0, skipped 0, failed 0",
      "build  waiting 0, running 1, done 0, skipped 0, failed 0",
      "push   waiting 0, running 0, done 0, skipped 0, failed 0",
      "     1.0 s  a.bst",
    ]);
    const gone = new StillageError("unavailable", "the server is gone");
    const more: PipelineEvent[] = [
      { at: 1300, kind: "ended", queue: "build", element: "a.bst", result: "processed" },
      { at: 1300, kind: "queued", queue: "push", element: "a.bst" },
      { at: 1300, kind: "started", queue: "push", element: "a.bst", attempt: 1 },
      { at: 1400, kind: "retrying", queue: "push", element: "a.bst", afterMs: 30_000, why: gone },
    ];
    for (const event of more) lines.take(event);
    assert.equal(viewLines(lines.tally, 2400).at(-1), "a.bst tried again in 29 s: the server is gone");
    lines.take({ at: 31_400, kind: "queued", queue: "push", element: "a.bst" });
    assert.deepEqual(
      viewLines(lines.tally, 31_400).map((line) => line.slice(0, 17)),
      ["pull   waiting 0,", "fetch  waiting 0,", "build  waiting 0,", "push   waiting 1,"],
    );
  });

  it("has times that people read", () => {
    const times = [0, 9940, 9960, 59_600, 600_000, 3_599_600, 7_387_000].map(secondsText);
    assert.deepEqual(times, ["0.0 s", "9.9 s", "10 s", "1:00", "10:00", "1:00:00", "2:03:07"]);
  });
});
