import { queueNames } from "../client/pipeline/pipeline-events.ts";
import type { PipelineTally } from "../client/pipeline/pipeline-tally.ts";
import { secondsText } from "./build-lines.ts";
import { printable } from "./human-text.ts";

const everyMs = 250;

/** Builds that are named at a time, the longest first. */
const namedBuilds = 8;

/** How far a build is, in some lines at the bottom of a terminal, above which what is done scrolls. Disposing takes them away. */
export class BuildView implements Disposable {
  private readonly terminal: NodeJS.WriteStream;
  private readonly tally: PipelineTally;
  private readonly now: () => number;
  private readonly timer: NodeJS.Timeout;
  /** Lines that stand there now. */
  private drawn = 0;

  constructor(terminal: NodeJS.WriteStream, tally: PipelineTally, now: () => number) {
    this.terminal = terminal;
    this.tally = tally;
    this.now = now;
    this.timer = setInterval(() => this.draw(""), everyMs);
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
    const lines = viewLines(this.tally, this.now()).map((line) => line.slice(0, width));
    this.terminal.write(`${this.erasing()}${above}${lines.map((line) => `${line}\n`).join("")}`);
    this.drawn = lines.length;
  }

  private erasing(): string {
    return this.drawn === 0 ? "" : `\u001b[${this.drawn}A\r\u001b[J`;
  }
}

/** A line for each queue, and one for each of the builds that run. */
export function viewLines({ queues, running }: PipelineTally, now: number): string[] {
  const ofQueues = queueNames.map((name) => {
    const { waiting, running: runs, done } = queues[name];
    const rest = name === "pull" ? `, missing ${done.missing}` : "";
    const counts = `waiting ${waiting}, running ${runs}, done ${done.processed}, skipped ${done.skipped}${rest}, failed ${done.failed}`;
    return `${name.padEnd(5)}  ${counts}`;
  });
  const builds = [...running.build].sort(([, a], [, b]) => a - b);
  const named = builds.slice(0, namedBuilds).map(([element, since]) => {
    return `  ${secondsText(now - since).padStart(8)}  ${printable(element)}`;
  });
  const more = builds.length - named.length;
  return [...ofQueues, ...named, ...(more > 0 ? [`  and ${more} more`] : [])];
}
