import assert from "node:assert/strict";
import { it } from "node:test";
import { ChromeTrace } from "./chrome-trace.ts";
import { planned, runPlanned } from "./pipeline.fixture.ts";
import { PipelineTally } from "./pipeline-tally.ts";

it("a trace has each job once, in lanes that are never taken twice, and a tally comes out even", async () => {
  const elements = Array.from({ length: 20 }, (_, i) =>
    planned(`e${i}`, {
      milliseconds: 5 + ((i * 7) % 11),
      pulls: i % 3 === 0 ? ["unavailable", "pulled"] : ["missing"],
      buildDependencies: i % 4 === 0 || i === 0 ? [] : [`e${i - 1}`],
      fetches: i % 2 === 0 ? ["fetched"] : undefined,
      build: i === 19 ? "failed" : "built",
    }),
  );
  const { events } = await runPlanned({
    ...{ elements, asked: elements.map(({ name }) => name), widths: { pull: 3, fetch: 2, build: 2, push: 1 } },
    ...{ retries: 2, onError: "continue" },
  });
  let text = "";
  const trace = new ChromeTrace((more) => {
    text += more;
  });
  const tally = new PipelineTally();
  for (const event of events) {
    trace.take(event);
    tally.take(event);
  }
  trace.close();
  const jobs = (JSON.parse(text) as { ph: string; tid: number; ts: number; dur: number; cat: string }[]).filter(
    ({ ph }) => ph === "X",
  );
  assert.equal(jobs.length, events.filter(({ kind }) => kind === "started").length);
  for (const [i, job] of jobs.entries()) {
    for (const other of jobs.slice(0, i)) {
      const apart = job.tid !== other.tid || job.ts >= other.ts + other.dur || other.ts >= job.ts + job.dur;
      assert.ok(apart, `${JSON.stringify(job)} ${JSON.stringify(other)}`);
    }
  }
  const { pull, build, push } = tally.queues;
  assert.deepEqual(
    [pull.waiting, pull.running, build.waiting, build.running, push.waiting, push.running],
    Array(6).fill(0),
  );
  assert.equal(pull.done.processed, 7);
  assert.equal(build.done.failed, 1);
  assert.equal(push.done.processed, 19);
});
