import type { BuildSummary } from "../client/pipeline/build-elements.ts";
import { endOfLog } from "../client/pipeline/log-end.ts";
import type { ElementOutcome } from "../client/pipeline/pipeline-events.ts";
import type { PipelineTally } from "../client/pipeline/pipeline-tally.ts";
import { counted, printable } from "./human-text.ts";

/** Failed builds whose logs are shown; of the others, where they are. */
const shownLogs = 5;
const logLines = 20;

/** Whether all that was asked for is there, and pushed where anything is. */
export function isWhole({ outcomes, pushes, ended }: BuildSummary): boolean {
  const bad = new Set<ElementOutcome["kind"]>(["failed", "blocked", "stopped"]);
  const pushed = ![...pushes.values()].some((push) => push === "failed" || push === "left");
  return ended === undefined && pushed && ![...outcomes.values()].some(({ kind }) => bad.has(kind));
}

/** What a run came to, for people: the queues, each failure with the end of its log, and what is left to do. */
export async function buildSummaryText(summary: BuildSummary, { queues }: PipelineTally): Promise<string> {
  const { outcomes, pushes, failedLogs } = summary;
  const { pull, fetch, build, push } = queues;
  const count = (...kinds: ElementOutcome["kind"][]): number =>
    [...outcomes.values()].filter(({ kind }) => kinds.includes(kind)).length;
  const lines = [
    "",
    `pull   processed ${pull.done.processed}, skipped ${pull.done.skipped}, missing ${pull.done.missing}, failed ${pull.done.failed}`,
    `fetch  processed ${fetch.done.processed}, skipped ${fetch.done.skipped}, failed ${fetch.done.failed}`,
    `build  processed ${build.done.processed}, skipped ${count("pulled", "present")}, failed ${build.done.failed}`,
    `push   processed ${push.done.processed}, skipped ${push.done.skipped}, failed ${push.done.failed}`,
  ];
  let shown = 0;
  for (const [name, outcome] of outcomes) {
    if (outcome.kind !== "failed") continue;
    lines.push("", `failed: ${printable(outcome.why.message)}`);
    if (outcome.why.hint !== undefined) lines.push(`  ${printable(outcome.why.hint)}`);
    const log = failedLogs.get(name);
    if (log === undefined) continue;
    lines.push(`  log: ${printable(log)}`);
    shown += 1;
    if (shown > shownLogs) continue;
    for (const line of await endOfLog(log, logLines)) lines.push(`  | ${printable(line)}`);
  }
  const [blocked, stopped] = [count("blocked"), count("stopped")];
  const left = [...pushes.values()].filter((each) => each === "left").length;
  const rest = [
    ...(blocked > 0 ? [`${counted(blocked, "element")} cannot be built without what failed`] : []),
    ...(stopped > 0 ? [`${counted(stopped, "element")} had no turn`] : []),
    ...(left > 0 ? [`${counted(left, "artifact")} are here and not pushed yet`] : []),
  ];
  if (rest.length > 0) lines.push("", ...rest);
  if (stopped > 0 || left > 0) lines.push("the same command goes on from here");
  return `${lines.join("\n")}\n`;
}
