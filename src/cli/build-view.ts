import { queueNames } from "../client/pipeline/pipeline-events.ts";
import type { PipelineTally } from "../client/pipeline/pipeline-tally.ts";
import { secondsText } from "./build-lines.ts";
import { counted, printable } from "./human-text.ts";

const everyMs = 250;

/** Jobs that are named at a time, the longest first. */
const namedJobs = 8;

/** How far a build is, in some lines at the bottom of a terminal, above which what is done scrolls. Disposing takes them away. */
export class BuildView implements Disposable {
  private readonly terminal: NodeJS.WriteStream;
  private readonly tally: PipelineTally;
  private readonly now: () => number;
  private readonly timer: NodeJS.Timeout;
  /** What is done before there are any jobs, and since when. */
  private preparing: { readonly what: string; readonly since: number } | undefined;
  /** Lines that stand there now. */
  private drawn = 0;

  constructor(terminal: NodeJS.WriteStream, tally: PipelineTally, now: () => number) {
    this.terminal = terminal;
    this.tally = tally;
    this.now = now;
    this.timer = setInterval(() => this.draw(""), everyMs);
  }

  /** Shows this instead of the queues. */
  prepares(what: string): void {
    this.preparing = { what, since: this.now() };
  }

  begins(): void {
    this.preparing = undefined;
  }

  /** Lines that stay, each with its end. */
  print(lines: string): void {
    this.draw(lines);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
    this.terminal.write(this.erasing());
    this.drawn = 0;
  }

  private draw(above: string): void {
    const width = (this.terminal.columns || 80) - 1;
    // What has scrolled away cannot be taken away again.
    const most = Math.max(1, (this.terminal.rows || 24) - 1);
    const lines = this.lines()
      .slice(0, most)
      .map((line) => [...line].slice(0, width).join(""));
    this.terminal.write(`${this.erasing()}${above}${lines.map((line) => `${line}\n`).join("")}`);
    this.drawn = lines.length;
  }

  private lines(): string[] {
    if (this.preparing === undefined) return viewLines(this.tally, this.now());
    return [jobLine(this.now() - this.preparing.since, this.preparing.what)];
  }

  private erasing(): string {
    return this.drawn === 0 ? "" : `\u001b[${this.drawn}A\r\u001b[J`;
  }
}

/** A line for each queue, and one for each of the builds and fetches that run; or, where all that is left waits for its next try, one that says so. */
export function viewLines({ queues, running, delayed }: PipelineTally, now: number): string[] {
  const ofQueues = queueNames.map((name) => {
    const { waiting, running: runs, done } = queues[name];
    const rest = name === "pull" ? `, missing ${done.missing}` : "";
    const counts = `waiting ${waiting}, running ${runs}, done ${done.processed}, skipped ${done.skipped}${rest}, failed ${done.failed}`;
    return `${name.padEnd(5)}  ${counts}`;
  });
  const oldest = (jobs: ReadonlyMap<string, number>): [string, number][] => [...jobs].sort(([, a], [, b]) => a - b);
  const jobs = [
    ...oldest(running.build).map(([element, since]) => jobLine(now - since, printable(element))),
    ...oldest(running.fetch).map(([element, since]) => jobLine(now - since, `${printable(element)} (sources)`)),
  ];
  const more = jobs.length - namedJobs;
  const idle = queueNames.every((name) => queues[name].running === 0);
  return [
    ...ofQueues,
    ...jobs.slice(0, namedJobs),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(idle ? waitLine(delayed, now) : []),
  ];
}

const jobLine = (milliseconds: number, what: string): string => `  ${secondsText(milliseconds).padStart(8)}  ${what}`;

function waitLine(delayed: PipelineTally["delayed"], now: number): string[] {
  const [first, ...rest] = [...delayed.values()].sort((a, b) => a.until - b.until);
  if (first === undefined) return [];
  const others = rest.length === 0 ? "" : ` and ${counted(rest.length, "other")}`;
  const left = secondsText(Math.max(0, first.until - now));
  return [`${printable(first.element)}${others} tried again in ${left}: ${printable(first.why)}`];
}
