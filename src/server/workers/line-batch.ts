import type { AccessLines } from "../access-log.ts";

/** Lines are collected up to here, or for so long: a busy server sends some fifty at a time. */
const collectedChars = 8 * 1024;
const flushMs = 500;

/** Lines of the access log on their way to the thread that has the file. */
export class LineBatch implements AccessLines {
  private readonly send: (lines: string) => void;
  private lines = "";
  private timer: NodeJS.Timeout | undefined;

  constructor(send: (lines: string) => void) {
    this.send = send;
  }

  write(line: string): void {
    this.lines += line;
    if (this.lines.length >= collectedChars) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), flushMs).unref();
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.lines !== "") this.send(this.lines);
    this.lines = "";
  }
}
