import { once } from "node:events";
import { type ErrorCode, StillageError } from "../../base/errors.ts";
import { AwayError } from "../connection/away-error.ts";
import { type OnError, type PipelineOptions, type PipelineResult, runPipeline } from "./pipeline.ts";
import type { PipelineEvent, QueueName } from "./pipeline-events.ts";
import { type PipelineElement, PipelineGraph } from "./pipeline-graph.ts";
import { VirtualTime } from "./virtual-time.fixture.ts";

/** How looking for an element goes, try by try; the last holds for all that follow. */
export type PullPlan = "present" | "pulled" | "missing" | "failed build" | ErrorCode;

/** An element and how its jobs go. */
export interface PlannedElement extends PipelineElement {
  readonly pulls: readonly PullPlan[];
  /** Nothing is fetched for those without; what is to begin later does not before the run is ending. */
  readonly fetches?: readonly ("fetched" | "present" | "later" | ErrorCode)[] | undefined;
  readonly build: "built" | "failed" | "kept" | "rejects" | "says nothing";
  readonly pushes: readonly ("pushed" | "present" | "away" | ErrorCode)[];
  /** Of each of its jobs. */
  readonly milliseconds: number;
  readonly together?: string | undefined;
}

export interface PlannedRun {
  readonly elements: readonly PlannedElement[];
  readonly asked: readonly string[];
  readonly widths: Readonly<Record<QueueName, number>>;
  readonly retries: number;
  readonly onError: OnError;
  readonly stopAfter?: number | undefined;
  readonly abortAfter?: number | undefined;
}

export interface PlannedResult extends PipelineResult {
  readonly events: readonly PipelineEvent[];
  /** The most that ran at once. */
  readonly most: Readonly<Record<QueueName, number>>;
  readonly groups: readonly (readonly string[])[];
  readonly ended: PipelineResult["ended"];
}

export function planned(name: string, plan: Partial<PlannedElement> = {}): PlannedElement {
  const none = { buildDependencies: [], runtimeDependencies: [] };
  return { name, ...none, pulls: ["missing"], build: "built", pushes: ["pushed"], milliseconds: 10, ...plan };
}

/** What has to be there before an element can be built. */
export function neededToBuild(graph: PipelineGraph<PlannedElement>, name: string): Set<string> {
  return graph.runtimeClosure(graph.element(name).buildDependencies);
}

const failure = (code: ErrorCode): StillageError => new StillageError(code, "as planned");

/** Runs a pipeline whose jobs go as planned, in virtual time. */
export async function runPlanned(run: PlannedRun): Promise<PlannedResult> {
  const time = new VirtualTime();
  const [stop, abort] = [new AbortController(), new AbortController()];
  const never = new AbortController().signal;
  if (run.stopAfter !== undefined) void time.wait(run.stopAfter, never).then(() => stop.abort());
  if (run.abortAfter !== undefined) void time.wait(run.abortAfter, never).then(() => abort.abort());
  const events: PipelineEvent[] = [];
  const groups: string[][] = [];
  const running = { pull: 0, fetch: 0, build: 0, push: 0 };
  const most = { pull: 0, fetch: 0, build: 0, push: 0 };
  const tries = new Map<string, number>();
  const during = async <T>(queue: QueueName, job: () => Promise<T>): Promise<T> => {
    running[queue] += 1;
    most[queue] = Math.max(most[queue], running[queue]);
    try {
      return await job();
    } finally {
      running[queue] -= 1;
    }
  };
  const nextOf = <T>(plans: readonly T[], what: string): T => {
    const count = tries.get(what) ?? 0;
    tries.set(what, count + 1);
    return plans[Math.min(count, plans.length - 1)] as T;
  };
  const options: PipelineOptions<PlannedElement> = {
    graph: new PipelineGraph(run.elements),
    ...{ asked: run.asked, widths: run.widths, retries: run.retries, onError: run.onError },
    ...{ stop: stop.signal, abort: abort.signal, time, random: () => 0.5 },
    events: (event) => events.push(event),
    together: ({ together }) => together,
    pull: ({ name, pulls, milliseconds }, signal) =>
      during("pull", async () => {
        await time.wait(milliseconds, signal);
        const plan = nextOf(pulls, `pull ${name}`);
        if (plan === "failed build") return { kind: "pulled", failedBuild: failure("failed-precondition") };
        if (plan === "missing" || plan === "present" || plan === "pulled") return { kind: plan };
        throw failure(plan);
      }),
    fetches: ({ fetches }) => fetches !== undefined,
    fetch: ({ name, fetches = [], milliseconds }, signal, ending) =>
      during("fetch", async () => {
        await time.wait(milliseconds, signal);
        const plan = nextOf(fetches, `fetch ${name}`);
        if (plan === "fetched" || plan === "present") return plan;
        if (plan === "later") {
          if (!ending.aborted) await once(ending, "abort");
          throw ending.reason;
        }
        throw failure(plan);
      }),
    build: (elements, report, signal) =>
      during("build", async () => {
        groups.push(elements.map(({ name }) => name));
        const bad = new Set<string>();
        for (const element of elements) {
          if (bad.size > 0 && [...neededToBuild(options.graph, element.name)].some((name) => bad.has(name))) {
            bad.add(element.name);
            continue;
          }
          if (element.build !== "built") bad.add(element.name);
          signal.throwIfAborted();
          report.started(element);
          await time.wait(element.milliseconds, signal);
          const why = failure("failed-precondition");
          if (element.build === "rejects") throw why;
          if (element.build === "built") report.ended(element, { kind: "built" });
          else if (element.build !== "says nothing") {
            report.ended(element, { kind: "failed", why, kept: element.build === "kept" });
          }
        }
      }),
    push: ({ name, pushes, milliseconds }, signal) =>
      during("push", async () => {
        await time.wait(milliseconds, signal);
        const plan = nextOf(pushes, `push ${name}`);
        if (plan === "pushed" || plan === "present") return plan;
        if (plan === "away") throw new AwayError("server", 5000);
        throw failure(plan);
      }),
  };
  const result = await time.pass(runPipeline(options));
  return { ...result, events, most, groups };
}
