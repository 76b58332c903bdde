import type { StillageError } from "../base/errors.ts";
import type { BuildPlan, BuildSummary } from "../client/pipeline/build-elements.ts";
import { type ElementOutcome, type PipelineEvent, queueNames } from "../client/pipeline/pipeline-events.ts";
import type { PipelineTally } from "../client/pipeline/pipeline-tally.ts";

/** The first line of `--json`. */
export function planJson({ targets, elements, asked }: BuildPlan): string {
  return line({ event: "plan", targets, elements: elements.size, asked });
}

/** A line for an event; `at` is milliseconds since `began`. */
export function eventJson(event: PipelineEvent, began: number): string {
  const { kind, at, ...rest } = event;
  const shown = {
    ...rest,
    ...("why" in rest && { why: errorJson(rest.why) }),
    ...("outcome" in rest && { outcome: outcomeJson(rest.outcome) }),
  };
  return line({ event: kind, at: Math.round((at - began) * 1000) / 1000, ...shown });
}

export function noteJson(text: string): string {
  return line({ event: "note", text });
}

/** The last line. */
export function summaryJson(summary: BuildSummary, { queues }: PipelineTally, whole: boolean): string {
  const outcomes: Record<string, number> = {};
  for (const { kind } of summary.outcomes.values()) outcomes[kind] = (outcomes[kind] ?? 0) + 1;
  const pushes: Record<string, number> = {};
  for (const kind of summary.pushes.values()) pushes[kind] = (pushes[kind] ?? 0) + 1;
  const done = queueNames.map((name) => [name, queues[name].done]);
  const ended = summary.ended ?? null;
  return line({ event: "summary", whole, ended, outcomes, pushes, queues: Object.fromEntries(done) });
}

function outcomeJson(outcome: ElementOutcome): object {
  return outcome.kind === "failed" ? { ...outcome, why: errorJson(outcome.why) } : outcome;
}

function errorJson(error: StillageError | undefined): object | undefined {
  if (error === undefined) return undefined;
  const { code, message, hint } = error;
  return { code, message, ...(hint !== undefined && { hint }) };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
