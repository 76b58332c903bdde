import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { blocksOf } from "../docs/markdown.ts";
import { buildByLibrary } from "./build/by-library.ts";
import { type BuildEvent, type BuildRun, createMachine, type Machine } from "./build/machine.ts";
import { elementCount, writeJoinedProjects, writeWideProject } from "./build/project.ts";
import { buildWhileServerIsAway } from "./build/server-away.ts";
import { buildPastSilentSources } from "./build/silent-sources.ts";
import { checkout } from "./support/checkout.ts";
import type { Project } from "./support/project.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

// Each test goes on from the caches of the one before it: a machine that is filled is worth more than an empty one.

const half = 23; // half.bst and what it consists of

let workspace: Workspace;
let project: Project;
let server: ServerUnderTest;
let silent: ReturnType<typeof createServer>;
let first: Machine;

before(async () => {
  workspace = await createWorkspace();
  project = await writeWideProject(await workspace.folder("project"));
  server = await startServer(await workspace.folder("store"));
  // Takes connections and never says a word.
  silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  first = await machine("first", [dead(), cache()]);
});

after(async () => {
  silent.close();
  await server.stop();
  await workspace[Symbol.asyncDispose]();
});

const cache = (push = true): object => ({ url: `http://${server.address}`, push });
const dead = (): object => ({ url: `http://127.0.0.1:${(silent.address() as { port: number }).port}`, push: true });

async function machine(name: string, servers: readonly object[]): Promise<Machine> {
  return createMachine(await workspace.folder(name), project, servers);
}

describe("stillage build with BuildStream 2.8.1", () => {
  test("pulls the half that is there, builds the rest beside it and pushes behind, past a dead remote", async () => {
    const filler = await machine("filler", [cache()]);
    ok(await filler.bst([cache()], "build", "half.bst"));
    const trace = join(first.folder, "trace.json");
    const run = await first.build(["--deps", "all", "--trace", trace, "all.bst"]);
    assert.equal(run.status, 0, run.stderr + JSON.stringify(run.summary));
    assert.deepEqual(run.summary.outcomes, { pulled: half, built: elementCount - half, ...unneeded(run) });
    assert.equal(run.settled("pulled").includes("half.bst"), true);
    assert.deepEqual(run.summary.pushes, { present: half, pushed: elementCount - half });
    assert.ok(run.events.some(({ text }) => text?.includes("is left out")));
    await checkTrace(trace, run);
    checkOrder(run);
    checkFetch(run);
  });

  test("leaves caches that the real bst takes for its own, here and on a second machine", async () => {
    const second = await machine("second", [cache(false)]);
    const run = await second.build(["--deps", "all", "all.bst"]);
    assert.deepEqual(run.summary.outcomes, { pulled: elementCount, ...unneeded(run) }, run.stderr);
    assert.equal(run.summary.pushes && Object.keys(run.summary.pushes).length, 0);
    for (const { bst } of [first, second]) {
      const states = ok(await bst([], "show", "--deps", "all", "--format", "%{state}", "all.bst")).stdout;
      assert.deepEqual(new Set(states.trim().split(/\s+/)), new Set(["cached"]));
    }
    const out = join(second.folder, "out");
    ok(await second.bst([], "artifact", "checkout", "--directory", out, "all.bst"));
    assert.equal(await readFile(join(out, "opt/c"), "utf8"), "c\n");
    assert.equal(await readFile(join(out, "part21.txt"), "utf8"), "part 21\n");
  });

  test("quits after a failure, goes on beside it, and knows it again", async () => {
    const quit = await first.build([...live(), "--on-error", "quit", "sad.bst"]);
    assert.equal(quit.status, 1);
    assert.equal(quit.summary.ended, "quit");
    assert.deepEqual(quit.settled("failed"), ["bad.bst"]);
    const told = await first.stillage([...live(), "--on-error", "continue", "--retry-failed", "sad.bst"]);
    assert.equal(told.status, 1, told.stderr);
    assert.match(told.stdout, /^failed\t[\d.]+ s\tbad\.bst\t.*Command failed/m);
    assert.match(told.stdout, /^blocked\t\tneeds-bad\.bst\tit needs bad\.bst/m);
    assert.match(told.stdout, /\n {2}log: \/\S+\/bad\/\S+-build\.\S+\.log\n/);
    assert.match(told.stdout, /\n {2}\| .*this goes wrong/);
    assert.match(told.stdout, /^build {2}processed 0, skipped \d+, failed 1$/m);
    const again = await first.build([...live(), "--on-error", "continue", "sad.bst"]);
    const failure = again.events.find(({ outcome }) => outcome?.kind === "failed");
    assert.deepEqual([failure?.element, failure?.outcome?.cached], ["bad.bst", true]);
    assert.deepEqual(new Set(again.settled("blocked")), new Set(["needs-bad.bst", "sad.bst"]));
    assert.equal(
      again.events.some(({ event, queue }) => event === "started" && queue === "build"),
      false,
    );
    // As of `bst`: what failed is pushed, so that others need not try.
    const other = await machine("other", [cache()]);
    const pulled = await other.build(["--on-error", "continue", "--deps", "none", "bad.bst", "quick.bst"]);
    assert.deepEqual(
      [pulled.status, pulled.settled("failed"), pulled.settled("pulled")],
      [1, ["bad.bst"], ["quick.bst"]],
    );
    // What they are built with is not asked for.
    assert.deepEqual(pulled.settled("unneeded"), ["base.bst"]);
    assert.equal(
      pulled.events.some(({ event, queue }) => event === "started" && queue === "build"),
      false,
    );
  });

  test("goes on where a killed and an interrupted run were", async () => {
    const alone = await machine("alone", []);
    const built: string[] = [];
    const kill = await alone.build([...offline(), "all.bst"], (event, child) => {
      if (event.outcome?.kind === "built") built.push(event.element ?? "");
      if (event.outcome?.kind === "built" && event.element === "slow-a.bst") child.kill("SIGKILL");
    });
    assert.equal(kill.status, null);
    assert.ok(built.includes("slow-a.bst") && !built.includes("after/slow-a.bst"), built.join());
    await nothingRuns(alone);
    const interrupted = await alone.build([...offline(), "all.bst"], (event, child) => {
      if (event.event === "started" && event.element === "after/slow-a.bst" && event.queue === "build")
        child.kill("SIGINT");
    });
    assert.equal(interrupted.status, 1, interrupted.stderr);
    assert.equal(interrupted.summary.ended, "stop");
    assert.ok(interrupted.settled("built").includes("after/slow-a.bst"));
    const last = await alone.build(["--no-push", ...offline(), "all.bst"]);
    assert.equal(last.status, 0, last.stderr);
    const all = [...built, ...interrupted.settled("built"), ...last.settled("built")];
    assert.deepEqual([...new Set(all)].sort(), all.sort(), "something was built twice");
    assert.ok(built.every((name) => last.settled("present").includes(name)));
  });

  test("does no harm to another run on the same cache", async () => {
    const pair = await machine("pair", []);
    const runs = await Promise.all([pair.build(["quick.bst"]), pair.build(["quick.bst"])]);
    for (const { status, stderr } of runs) assert.equal(status, 0, stderr);
    const out = join(pair.folder, "out");
    ok(await pair.bst([], "artifact", "checkout", "--directory", out, "quick.bst"));
    assert.equal(await readFile(join(out, "opt/quick"), "utf8"), "quick\n");
    assert.ok((await readdir(join(out, "bin"))).includes("busybox"));
  });

  test("ends what runs at the second Ctrl-C, and leaves nothing of it behind", async () => {
    const hasty = await machine("hasty", []);
    const run = await hasty.build(["slow-a.bst"], (event, child) => {
      if (event.event === "started" && event.element === "slow-a.bst" && event.queue === "build") child.kill("SIGINT");
      if (event.how === "stop") child.kill("SIGINT");
    });
    assert.equal(run.status, 1, run.stderr);
    assert.equal(run.summary.ended, "abort");
    assert.deepEqual(run.settled("stopped"), ["slow-a.bst"]);
    await nothingRuns(hasty);
  });

  test("does what the documentation shows, again and again, and knows the dead remote", async () => {
    const remembered = await readFile(join(first.folder, "home/.local/state/stillage/unreachable.json"), "utf8");
    assert.ok(remembered.includes((dead() as { url: string }).url), remembered);
    const page = await readFile(join(checkout, "docs/BUILDING.md"), "utf8");
    const shown = blocksOf(page).filter(({ language }) => language === "sh");
    assert.equal(shown.length, 3);
    for (const { text } of shown) {
      const { stdout } = ok(await first.shell(text));
      assert.match(stdout, /^build {2}processed 0, skipped 5\d, failed 0$/m);
    }
  });

  test("pulls, builds and pushes what is behind a junction as its project says", async () => {
    const joined = await writeJoinedProjects(await workspace.folder("joined"), [cache()]);
    const outer = await createMachine(await workspace.folder("outer"), joined, []);
    const run = await outer.build([]);
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(run.settled("built"), ["sub.bst:deep/inner.bst", "through.bst"]);
    const refs = join(outer.folder, "cache/artifacts/refs");
    assert.deepEqual(
      [await readdir(join(refs, "inner")), await readdir(join(refs, "outer"))],
      [["deep-inner"], ["through"]],
    );
    assert.deepEqual(run.summary.pushes, { pushed: 1, skipped: 1 });
    const next = await createMachine(await workspace.folder("next"), joined, []);
    const again = await next.build(["through.bst"]);
    assert.deepEqual(
      [again.settled("pulled"), again.settled("built")],
      [["sub.bst:deep/inner.bst"], ["through.bst"]],
      again.stderr,
    );
    const named = await next.stillage(["sub.bst"]);
    assert.equal(named.status, 1);
    assert.match(named.stderr, /sub\.bst is a junction: it leads to another project, and is not built/);
  });

  test("says what is wrong with elements and configurations", async () => {
    const missing = await first.stillage(["nowhere.bst"]);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /`bst show` exited with 255: Could not find element 'nowhere.bst'/);
    const unsettled = await first.stillage(["new.bst"]);
    assert.match(unsettled.stderr, /new\.bst has no key, because a source has no ref/);
    const nowhere = await first.stillage(["-C", "/", "all.bst"]);
    assert.match(nowhere.stderr, /there is no project\.conf in \/ or above it/);
    const trace = await first.stillage(["--trace", "/nowhere/trace.json", "quick.bst"]);
    assert.deepEqual(
      [trace.status, trace.stderr],
      [1, "stillage: the trace /nowhere/trace.json cannot be written: ENOENT\n"],
    );
    const old = join(first.folder, "old-bst");
    await writeFile(old, "#!/bin/sh\n[ $1 = --version ] && echo 1.6.8\nexit 255\n", { mode: 0o755 });
    const older = await first.stillage(["--bst", old, "all.bst"]);
    assert.match(older.stderr, /\/old-bst is BuildStream 1\.6\.8, and builds are driven with BuildStream 2/);
    const full = await first.shell("exec stillage build --json --deps none quick.bst >/dev/full");
    assert.deepEqual(
      [full.status, full.stderr],
      [1, "stillage: writing to standard output: the disk is full (ENOSPC)\n"],
    );
    const program = await first.stillage(["--bst", "no-such-bst", "all.bst"]);
    assert.match(program.stderr, /there is no program no-such-bst/);
  });
});

/** The server alone, without the remote that is waited for. */
function live(): string[] {
  return ["--remote", `http://${server.address}`];
}

/** A remote that nobody has, so that all is built. */
function offline(): string[] {
  return ["--remote", "http://127.0.0.1:1"];
}

function ok<T extends { status: number | null; stdout: string; stderr: string }>(result: T): T {
  assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}`);
  return result;
}

const unneeded = (run: BuildRun): object => {
  const count = run.settled("unneeded").length;
  return count === 0 ? {} : { unneeded: count };
};

/** Half a minute is more than a build is given to end by itself. */
async function nothingRuns({ running }: Machine): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const left = await running();
    if (left.length === 0) return;
    if (performance.now() > deadline) assert.fail(`still running:\n${left.join("\n")}`);
    await delay(100);
  }
}

/** Nothing is built before what it needs was there, as the events tell it. */
function checkOrder({ events }: BuildRun): void {
  const position = (find: (event: BuildEvent) => boolean): number => events.findIndex(find);
  for (const [before, then] of [
    ["base.bst", "slow-a.bst"],
    ["slow-a.bst", "after/slow-a.bst"],
    ["after/slow-a.bst", "all.bst"],
  ]) {
    const there = position(({ event, element }) => event === "settled" && element === before);
    const started = position((each) => each.event === "started" && each.queue === "build" && each.element === then);
    assert.ok(there >= 0 && started > there, `${then} was begun before ${before} was there`);
  }
}

/** What one element is made of is fetched while it still waits for another one, and nothing else is. */
function checkFetch({ events }: BuildRun): void {
  const at = (wanted: Partial<BuildEvent>): number => {
    const found = events.find((event) =>
      Object.entries(wanted).every(([key, value]) => event[key as "event"] === value),
    );
    return found?.at ?? assert.fail(JSON.stringify(wanted));
  };
  const fetched = events.filter(({ event, queue }) => event === "ended" && queue === "fetch");
  assert.deepEqual(
    fetched.map(({ element, result }) => [element, result]),
    [["after/slow-a.bst", "processed"]],
  );
  const needed = at({ event: "ended", queue: "build", element: "slow-a.bst" });
  assert.ok(at({ event: "started", queue: "fetch" }) < needed);
}

/** The trace has every job, and moments at which elements are pulled, built and pushed. */
async function checkTrace(path: string, { events }: BuildRun): Promise<void> {
  const trace = JSON.parse(await readFile(path, "utf8")) as { ph: string; cat: string; ts: number; dur: number }[];
  const jobs = trace.filter(({ ph }) => ph === "X");
  assert.equal(jobs.length, events.filter(({ event }) => event === "started").length);
  const at = (time: number): Set<string> =>
    new Set(jobs.filter(({ ts, dur }) => ts <= time && time < ts + dur).map(({ cat }) => cat));
  assert.ok(
    jobs.some(({ ts }) => at(ts).size === 3),
    "no moment at which something is pulled, built and pushed",
  );
}

test("goes on when its server is killed, and pushes when that is back", async () => {
  const folder = await workspace.folder("away-store");
  const victim = await startServer(folder);
  const away = await machine("away", [
    { url: `http://${victim.address}`, push: true, "connection-config": { "retry-limit": 0 } },
  ]);
  await buildWhileServerIsAway(project, away, victim, folder);
});

test("waits once for silent servers for sources, and BuildStream never does", async () => {
  await buildPastSilentSources(workspace, `http://${server.address}`);
});

test("the library builds with BuildStream 2.8.1, and says what there is", async () => {
  await buildByLibrary(project, await machine("library", [cache()]));
});
