import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { neededToBuild, type PlannedElement, type PlannedRun, planned, runPlanned } from "./pipeline.fixture.ts";
import { queueNames } from "./pipeline-events.ts";
import { PipelineGraph } from "./pipeline-graph.ts";

const widths = { pull: 2, fetch: 2, build: 2, push: 2 };
const usual = { widths, retries: 0, onError: "continue" } as const;

describe("runPipeline", () => {
  it("pulls what can be had, and neither looks for nor builds what only that was built with", async () => {
    const elements = [
      planned("base"),
      planned("lib", { buildDependencies: ["base"], pulls: ["pulled"] }),
      planned("app", { buildDependencies: ["lib"] }),
    ];
    const { outcomes, pushes, events } = await runPlanned({ ...usual, elements, asked: ["app"] });
    assert.deepEqual(kinds(outcomes), { base: "unneeded", lib: "pulled", app: "built" });
    assert.deepEqual(Object.fromEntries(pushes), { lib: "pushed", app: "pushed" });
    assert.ok(!events.some((event) => "element" in event && event.element === "base" && event.kind !== "settled"));
  });

  it("builds the longest chain first", async () => {
    const chain = ["a", "b", "c"].map((name, i, all) => planned(name, { buildDependencies: all.slice(i + 1, i + 2) }));
    const elements = [planned("alone"), ...chain];
    const narrow = { ...widths, pull: 4, build: 1, push: 1 };
    const { groups } = await runPlanned({ ...usual, widths: narrow, elements, asked: ["alone", "a", "b", "c"] });
    assert.deepEqual(groups, [["c"], ["b"], ["alone"], ["a"]]);
  });

  it("has all queues at work at a time", async () => {
    const elements = [
      planned("late", { pulls: ["pulled"], milliseconds: 1000 }),
      planned("slow", { milliseconds: 100 }),
      planned("quick", { pulls: ["pulled"], milliseconds: 110 }),
      planned("made", { milliseconds: 150, fetches: ["fetched"] }),
    ];
    const asked = ["late", "slow", "quick", "made"];
    const { events } = await runPlanned({ ...usual, widths: { ...widths, pull: 4 }, elements, asked });
    const running = { pull: 0, fetch: 0, build: 0, push: 0 };
    let together = 0;
    for (const event of events) {
      if (event.kind === "started") running[event.queue] += 1;
      if (event.kind === "ended") running[event.queue] -= 1;
      together = Math.max(together, Object.values(running).filter((count) => count > 0).length);
    }
    assert.equal(together, 4);
  });

  it("begins nothing but pushes after a failure where it quits, and ends all where it terminates", async () => {
    const elements = [
      planned("done", { milliseconds: 2 }),
      planned("bad", { build: "failed", milliseconds: 30 }),
      planned("long", { milliseconds: 40 }),
      planned("next", { buildDependencies: ["long"] }),
    ];
    const run = {
      ...usual,
      widths: { ...widths, pull: 9, build: 9 },
      elements,
      asked: ["done", "bad", "long", "next"],
    };
    const quit = await runPlanned({ ...run, onError: "quit" });
    assert.deepEqual(kinds(quit.outcomes), { done: "built", bad: "failed", long: "built", next: "stopped" });
    assert.deepEqual(Object.fromEntries(quit.pushes), { done: "pushed", long: "pushed" });
    assert.equal(quit.ended, "quit");
    const terminated = await runPlanned({ ...run, onError: "terminate" });
    assert.deepEqual(kinds(terminated.outcomes), { done: "built", bad: "failed", long: "stopped", next: "stopped" });
  });

  it("goes on with what does not need a failure, and pushes an artifact of it", async () => {
    const elements = [
      planned("bad", { build: "kept" }),
      planned("user", { buildDependencies: ["bad"] }),
      planned("its", { buildDependencies: ["user"] }),
      planned("other"),
    ];
    const { outcomes, pushes } = await runPlanned({ ...usual, elements, asked: ["its", "other"] });
    assert.deepEqual(kinds(outcomes), { bad: "failed", user: "blocked", its: "blocked", other: "built" });
    assert.deepEqual(outcomes.get("its"), { kind: "blocked", by: "bad" });
    assert.deepEqual(Object.fromEntries(pushes), { bad: "pushed", other: "pushed" });
  });

  it("takes an artifact of a failed build for the failure that it is", async () => {
    const elements = [planned("bad", { pulls: ["failed build"] }), planned("user", { buildDependencies: ["bad"] })];
    const { outcomes, groups } = await runPlanned({ ...usual, elements, asked: ["user"] });
    assert.deepEqual(kinds(outcomes), { bad: "failed", user: "blocked" });
    assert.deepEqual(groups, []);
  });

  it("builds what cannot be pulled for an error, after as many tries as are allowed", async () => {
    const elements = [planned("a", { pulls: ["unavailable"] }), planned("b", { pulls: ["forbidden"] })];
    const { outcomes, events } = await runPlanned({ ...usual, retries: 2, elements, asked: ["a", "b"] });
    assert.deepEqual(kinds(outcomes), { a: "built", b: "built" });
    const tries = (name: string): number =>
      events.filter((each) => each.kind === "started" && each.queue === "pull" && each.element === name).length;
    assert.deepEqual([tries("a"), tries("b")], [3, 1]);
  });

  it("lets a failed push hold nothing back", async () => {
    const elements = [planned("base", { pushes: ["forbidden"] }), planned("app", { buildDependencies: ["base"] })];
    const { outcomes, pushes } = await runPlanned({ ...usual, onError: "quit", elements, asked: ["app"] });
    assert.deepEqual(kinds(outcomes), { base: "built", app: "built" });
    assert.deepEqual(Object.fromEntries(pushes), { base: "failed", app: "pushed" });
  });

  it("takes it for no try where a server was not asked, because it is away", async () => {
    const pushes = ["unavailable", "away", "away", "pushed"] as const;
    const run = { ...usual, retries: 1, asked: ["a"] };
    const patient = await runPlanned({ ...run, elements: [planned("a", { pushes })] });
    assert.deepEqual(Object.fromEntries(patient.pushes), { a: "pushed" });
    const lost = await runPlanned({ ...run, elements: [planned("a", { pushes: ["away", "unavailable"] })] });
    assert.deepEqual(Object.fromEntries(lost.pushes), { a: "failed" });
  });

  it("fetches what is missed at once, beside what it waits for, and builds it when both are there", async () => {
    const fetches = ["fetched"] as const;
    const elements = ["a", "b", "c"].map((name, i, all) =>
      planned(name, { buildDependencies: all.slice(i + 1, i + 2), milliseconds: 100, fetches }),
    );
    const { events } = await runPlanned({ ...usual, widths: { ...widths, fetch: 3 }, elements, asked: ["a"] });
    const times = (queue: string): number[] =>
      events.filter((each) => each.kind === "started" && each.queue === queue).map(({ at }) => at);
    assert.deepEqual(
      [times("pull"), times("fetch"), times("build")],
      [
        [0, 100, 200],
        [100, 200, 300],
        [400, 500, 600],
      ],
    );
  });

  it("leaves it to a build to say what it lacks where a fetch failed, and fetches nothing for what is not built", async () => {
    const elements = [
      planned("late", { fetches: ["unavailable", "forbidden"] }),
      planned("bad", { build: "failed", milliseconds: 1 }),
      planned("user", { buildDependencies: ["bad"], fetches: ["fetched"] }),
    ];
    const narrow = { ...widths, fetch: 1, pull: 3 };
    const run = await runPlanned({ ...usual, retries: 2, widths: narrow, elements, asked: ["late", "user"] });
    assert.deepEqual(kinds(run.outcomes), { bad: "failed", user: "blocked", late: "built" });
    const ended = run.events.filter((each) => each.kind === "ended" && each.queue === "fetch");
    assert.deepEqual(
      ended.map((each) => each.kind === "ended" && [each.element, each.result]),
      [
        ["user", "skipped"],
        ["late", "failed"],
      ],
    );
  });

  it("waits for no fetch that has not begun once it is ending", async () => {
    const elements = [planned("bad", { build: "kept" }), planned("other", { fetches: ["later"] })];
    for (const how of [{ stopAfter: 15 }, { onError: "quit" as const }]) {
      const { outcomes, events, pushes } = await runPlanned({ ...usual, ...how, elements, asked: ["bad", "other"] });
      assert.deepEqual(kinds(outcomes), { bad: "failed", other: "stopped" });
      assert.equal(pushes.get("bad"), "stopAfter" in how ? "left" : "pushed");
      const ended = events.filter((each) => each.kind === "ended" && each.queue === "fetch");
      assert.deepEqual(
        ended.map((each) => each.kind === "ended" && each.result),
        ["stopped"],
      );
    }
  });

  it("begins nothing once it is stopped, and ends what runs once it is aborted", async () => {
    const elements = [planned("first", { milliseconds: 100 }), planned("second", { buildDependencies: ["first"] })];
    const stopped = await runPlanned({ ...usual, elements, asked: ["second"], stopAfter: 150 });
    assert.deepEqual(kinds(stopped.outcomes), { first: "built", second: "stopped" });
    assert.deepEqual(Object.fromEntries(stopped.pushes), { first: "left" });
    const aborted = await runPlanned({ ...usual, elements, asked: ["second"], abortAfter: 150 });
    assert.deepEqual(kinds(aborted.outcomes), { first: "stopped", second: "stopped" });
  });

  it("builds in one go what may be, shared between the places that are free", async () => {
    const elements = ["a", "b", "c", "d", "e"].map((name) =>
      planned(name, { together: name === "e" ? undefined : "x" }),
    );
    const asked = elements.map(({ name }) => name);
    const wide = { ...widths, pull: 5 };
    // All are ready at once, because what decides is looked for in one step of time.
    const { groups } = await runPlanned({
      ...usual,
      widths: wide,
      elements: [...elements, target(asked)],
      asked: ["all"],
    });
    assert.equal(groups.flat().length, 6);
    assert.ok(
      groups.some((group) => group.length > 1),
      JSON.stringify(groups),
    );
  });

  it("builds in one go what waits for nothing else, and does not have it twice", async () => {
    const elements = [
      planned("a", { together: "x" }),
      planned("b", { together: "x", buildDependencies: ["a"], build: "failed" }),
      planned("c", { together: "x", buildDependencies: ["a"], milliseconds: 20 }),
      planned("d", { together: "x", buildDependencies: ["b", "c"] }),
      planned("e", { buildDependencies: ["c"] }),
    ];
    const { outcomes, groups } = await runPlanned({ ...usual, elements, asked: ["d", "e"] });
    assert.deepEqual(groups, [["a", "b", "c", "d"], ["e"]]);
    assert.deepEqual(kinds(outcomes), { a: "built", b: "failed", c: "built", d: "blocked", e: "built" });
  });

  it("goes along each dependency a few times, and not once for each element that is above it", async () => {
    const count = 400;
    let looks = 0;
    const elements = Array.from({ length: count }, (_, i) => {
      const dependencies = i === 0 ? [] : [`e${i - 1}`];
      const element = planned(`e${i}`, { together: "x", buildDependencies: dependencies, milliseconds: 0 });
      const look = (): string[] => {
        looks += 1;
        return dependencies;
      };
      return Object.defineProperty(element, "runtimeDependencies", { get: look });
    });
    const { outcomes, groups } = await runPlanned({ ...usual, elements, asked: [`e${count - 1}`] });
    assert.ok([...outcomes.values()].every(({ kind }) => kind === "built"));
    assert.deepEqual(
      groups.flat(),
      elements.map(({ name }) => name),
    );
    assert.ok(looks < 10 * count, `${looks} looks at ${count} elements`);
  });

  it("begins nothing more of a group either", async () => {
    const names = ["a", "b", "c"];
    const elements = names.map((name, i) =>
      planned(name, { together: "x", buildDependencies: names.slice(Math.max(0, i - 1), i), milliseconds: 20 }),
    );
    const { outcomes, groups } = await runPlanned({ ...usual, elements, asked: ["c"], stopAfter: 90 });
    assert.deepEqual(groups, [names]);
    assert.deepEqual(kinds(outcomes), { a: "built", b: "built", c: "stopped" });
  });

  it("ends where elements wait for each other", async () => {
    const elements = [planned("a", { buildDependencies: ["b"] }), planned("b", { buildDependencies: ["a"] })];
    const { outcomes } = await runPlanned({ ...usual, elements, asked: ["a"] });
    assert.deepEqual(kinds(outcomes), { a: "failed", b: "blocked" });
  });

  it("keeps its promises whatever the graph, the failures and the moment of a stop", async () => {
    await fc.assert(fc.asyncProperty(runs, check), { numRuns: 300 });
  });
});

const target = (all: readonly string[]): PlannedElement => planned("all", { buildDependencies: all });

const kinds = (outcomes: ReadonlyMap<string, { kind: string }>): object =>
  Object.fromEntries([...outcomes].map(([name, { kind }]) => [name, kind]));

const elementPlan = fc.record({
  build: fc.boolean(),
  runtime: fc.boolean(),
  pulls: fc.array(
    fc.constantFrom("present", "pulled", "missing", "missing", "failed build", "unavailable", "forbidden"),
    {
      ...{ minLength: 1, maxLength: 3 },
    },
  ),
  result: fc.constantFrom("built", "built", "built", "built", "failed", "kept", "rejects", "says nothing"),
  pushes: fc.array(fc.constantFrom("pushed", "present", "unavailable", "forbidden"), { minLength: 1, maxLength: 3 }),
  fetches: fc.option(
    fc.array(fc.constantFrom("fetched", "present", "unavailable", "forbidden"), { minLength: 1, maxLength: 3 }),
    { nil: undefined },
  ),
  milliseconds: fc.integer({ min: 0, max: 50 }),
  together: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
  links: fc.array(fc.tuple(fc.nat(), fc.boolean(), fc.boolean()), { maxLength: 4 }),
});

const runs: fc.Arbitrary<PlannedRun> = fc
  .record({
    plans: fc.array(elementPlan, { minLength: 1, maxLength: 14 }),
    asked: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    widths: fc.record({ pull: width(), fetch: width(), build: width(), push: width() }),
    retries: fc.nat(2),
    onError: fc.constantFrom("quit", "continue", "terminate"),
    stopAfter: fc.option(fc.nat(400), { nil: undefined, freq: 2 }),
    abortAfter: fc.option(fc.nat(400), { nil: undefined, freq: 2 }),
  })
  .map(({ plans, asked, ...rest }) => {
    const elements = plans.map(({ links, result, ...plan }, i): PlannedElement => {
      const to = (which: 1 | 2): string[] =>
        i === 0 ? [] : [...new Set(links.filter((link) => link[which]).map(([n]) => `e${n % i}`))];
      return {
        ...planned(`e${i}`),
        ...plan,
        build: result,
        ...(result === "rejects" && { together: undefined }),
        buildDependencies: to(1),
        runtimeDependencies: to(2),
      } as PlannedElement;
    });
    return { ...rest, elements, asked: [...new Set(asked.map((n) => `e${n % elements.length}`))] } as PlannedRun;
  });

function width(): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: 3 });
}

async function check(run: PlannedRun): Promise<void> {
  const { outcomes, pushes, events, most, groups, ended } = await runPlanned(run);
  const graph = new PipelineGraph(run.elements);
  const settled = new Map<string, string>();
  const tries = new Map<string, number>();
  const fetched = new Set<string>();
  const there = new Set(["present", "pulled", "built"]);
  let ending: string | undefined;
  for (const event of events) {
    if (event.kind === "ending") ending = event.how;
    if (event.kind === "settled") {
      assert.ok(!settled.has(event.element), `${event.element} is settled twice`);
      settled.set(event.element, event.outcome.kind);
    }
    if (event.kind === "ended" && event.queue === "fetch") fetched.add(event.element);
    if (event.kind !== "started") continue;
    const what = `${event.queue} ${event.element}`;
    tries.set(what, (tries.get(what) ?? 0) + 1);
    if (ending !== undefined) assert.ok(ending === "quit" && event.queue === "push", what);
    if (event.queue === "build") {
      assert.ok(fetched.has(event.element) || graph.element(event.element).fetches === undefined, what);
      for (const needed of neededToBuild(graph, event.element)) {
        assert.ok(there.has(settled.get(needed) ?? ""), `${what} before ${needed}`);
      }
    }
    if (event.queue === "push") assert.ok(settled.has(event.element), what);
  }
  for (const queue of queueNames) assert.ok(most[queue] <= run.widths[queue], queue);
  for (const [what, count] of tries) assert.ok(count <= (what.startsWith("build") ? 1 : run.retries + 1), what);
  assert.deepEqual(Object.fromEntries(settled), kinds(outcomes));
  assert.equal(settled.size, run.elements.length);
  for (const group of groups) {
    const [first, ...others] = group.map((name) => graph.element(name).together);
    assert.ok(
      others.every((each) => each !== undefined && each === first),
      group.join(),
    );
  }
  assert.equal(ended, ending);
  if (ended !== undefined) return;
  const found = expected(run, graph);
  const built = [...outcomes].filter(([, { kind }]) => kind === "built").map(([name]) => name);
  const needed = new Set([...run.asked, ...built.flatMap((name) => [...neededToBuild(graph, name)])]);
  for (const [name, { kind }] of outcomes) {
    // What only a blocked element needs may be looked for or not: it depends on what was known first.
    if (kind !== "unneeded" || needed.has(name)) assert.equal(kind, found.get(name), name);
  }
  assert.ok(![...pushes.values()].includes("left"));
}

/** What has to come of it where nothing ends the run before its time: one element after the other. */
function expected(run: PlannedRun, graph: PipelineGraph<PlannedElement>): Map<string, string> {
  const outcomes = new Map<string, string>(run.elements.map(({ name }) => [name, "unneeded"]));
  const visit = (name: string): void => {
    if (outcomes.get(name) !== "unneeded") return;
    const { pulls, build } = graph.element(name);
    const tries = Array.from({ length: run.retries + 1 }, (_, i) => pulls[Math.min(i, pulls.length - 1)]);
    const found = tries.find((plan) => plan !== "unavailable") ?? "unavailable";
    outcomes.set(name, found);
    if (found === "present" || found === "pulled") return;
    if (found === "failed build") {
      outcomes.set(name, "failed");
      return;
    }
    const needed = [...neededToBuild(graph, name)];
    for (const each of needed) visit(each);
    const bad = needed.some((each) => ["failed", "blocked"].includes(outcomes.get(each) ?? ""));
    outcomes.set(name, bad ? "blocked" : build === "built" ? "built" : "failed");
  };
  for (const name of run.asked) visit(name);
  return outcomes;
}
