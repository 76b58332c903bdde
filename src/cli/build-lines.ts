import { AwayError } from "../client/connection/away-error.ts";
import type { ElementOutcome, PipelineEvent } from "../client/pipeline/pipeline-events.ts";
import { PipelineTally } from "../client/pipeline/pipeline-tally.ts";
import { printable } from "./human-text.ts";

type JobEnd = PipelineEvent & { readonly kind: "ended" };

/** One line for each element that something was done for, or that nothing can be done for. */
export class BuildLines {
  readonly tally = new PipelineTally();
  private readonly forPeople: boolean;
  /** How long the job took after which an element settles. */
  private readonly took = new Map<string, number>();

  constructor(forPeople: boolean) {
    this.forPeople = forPeople;
  }

  /** The line, with its end, where the event is worth one. */
  take(event: PipelineEvent): string | undefined {
    const milliseconds = this.tally.take(event);
    switch (event.kind) {
      case "ended":
        return this.endLine(event, milliseconds);
      case "retrying": {
        // A note says so of the server, once.
        if (event.why instanceof AwayError) return undefined;
        const again = `${event.queue}, in ${secondsText(event.afterMs)}: ${event.why.message}`;
        return this.line("again", milliseconds, event.element, again);
      }
      case "settled": {
        const line = this.outcomeLine(event.element, event.outcome);
        this.took.delete(event.element);
        return line;
      }
      default:
        return undefined;
    }
  }

  /** Of what an element is built or pulled by, only failures: the line of what came of it says the rest. */
  private endLine({ queue, element, result, why }: JobEnd, milliseconds: number | undefined): string | undefined {
    if (queue === "build" || queue === "pull") this.took.set(element, milliseconds ?? 0);
    if (queue === "build") return undefined;
    const done = { pull: "pulled", fetch: "fetched", push: "pushed" }[queue];
    if (result === "failed") return this.line(`not ${done}`, milliseconds, element, afterName(why?.message, element));
    return result === "processed" && queue !== "pull" ? this.line(done, milliseconds, element) : undefined;
  }

  private outcomeLine(element: string, outcome: ElementOutcome): string | undefined {
    const milliseconds = this.took.get(element);
    switch (outcome.kind) {
      case "built":
      case "pulled":
        return this.line(outcome.kind, milliseconds, element);
      case "failed":
        return this.line("failed", milliseconds, element, afterName(outcome.why.message, element));
      case "blocked":
        return this.line("blocked", undefined, element, `it needs ${outcome.by}`);
      default:
        return undefined;
    }
  }

  private line(what: string, milliseconds: number | undefined, element: string, why?: string): string {
    const time = milliseconds === undefined ? "" : secondsText(milliseconds);
    const cells = [what, time, printable(element), ...(why === undefined ? [] : [printable(why)])];
    if (!this.forPeople) return `${cells.join("\t")}\n`;
    const [first = "", second = "", ...rest] = cells;
    return `${first.padEnd(10)} ${second.padStart(8)}  ${rest.join("  ")}\n`;
  }
}

/** What a message says of an element whose name stands before it already. */
function afterName(message = "", element: string): string {
  const [, rest] = /^:? (.*)$/s.exec(message.startsWith(element) ? message.slice(element.length) : "") ?? [];
  return rest ?? message;
}

/** `0.4 s`, `12 s`, `3:07`, `2:03:07`. */
export function secondsText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const tail = `${String(minutes).padStart(hours > 0 ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}
