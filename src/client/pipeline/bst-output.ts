/**
 * How `bst` is told to write its messages, for `logging: message-format`: what the user has there is for people. The element is last, because it is padded, and has the job before it.
 */
export const messageFormat = "@stillage %{action} | %{message} | %{element}";

/** Activities of an element that are jobs: those have a log, and say its name where they begin. */
const message = /^@stillage ([A-Z]+) *\| (.*) \| *(fetch|build):(.*?) *$/;
const logDirectory = /^ *Log Files: +(\/.*)$/;
const generalError = /^@stillage (?:ERROR|BUG) *\| (.*) \| *\S*:core activity *$/;
const logFollows = /^ *Printing the last \d+ lines from log file:$/;
const isRetried = /^Try #\d+ failed, retrying$/;
const isLog = (text: string): boolean => /^\S.*\.log$/.test(text);

/** Lines that may matter to whoever has to understand a failure. */
const keptLines = 40;
const keptLineLength = 500;

/** The longest line that is looked at: commands are told, and may be anything. */
const maxLineLength = 64 << 10;

/** What `bst` tells of its jobs. */
export interface BstTold {
  /** `log` is its path. */
  started?(element: string, log: string): void;
  built?(element: string): void;
  fetched?(element: string): void;
  /** A job of it, after the last try: `failures` has why. */
  failed(element: string): void;
}

export interface JobFailure {
  readonly why: string;
  readonly log: string | undefined;
}

/** Reads what `bst` prints as it comes. What it keeps is bounded. */
export class BstOutput {
  /** The last lines that are not of jobs: what it says where it cannot even begin. */
  readonly lines: string[] = [];
  /** Of jobs that failed, the last thing that was said of each, and its log. */
  readonly failures = new Map<string, JobFailure>();
  private readonly logs = new Map<string, string>();
  /** Whether what is indented belongs to a message of a job, or to one that is no error. */
  private skipsIndented = false;
  /** Whether the next line is the log of a job that failed. */
  private namesLog = false;
  /** What has failed, where it is not tried again. */
  private failed: string | undefined;
  private directory = "";
  private rest = "";
  private readonly told: BstTold;

  constructor(told: BstTold) {
    this.told = told;
  }

  take(bytes: Buffer): void {
    const lines = (this.rest + bytes.toString("latin1")).split("\n");
    this.rest = (lines.pop() ?? "").slice(0, maxLineLength);
    for (const line of lines) this.line(Buffer.from(line, "latin1").toString());
  }

  end(): void {
    this.take(Buffer.from("\n"));
  }

  private line(line: string): void {
    const [, action = "", text = "", job = "", element = ""] = message.exec(line) ?? [];
    if (element === "") {
      this.other(line);
      return;
    }
    this.skipsIndented = true;
    if (action === "START" && isLog(text)) this.start(job, element, `${this.directory}/${text}`);
    if (action === "SUCCESS" && isLog(text)) {
      this.failures.delete(element); // an earlier try
      if (job === "build") this.told.built?.(element);
      else this.told.fetched?.(element);
    }
    if (action === "FAILURE" || action === "ERROR" || action === "BUG") {
      const why = job === "fetch" ? `its sources could not be fetched: ${text}` : text;
      this.failures.set(element, { why: why.slice(0, keptLineLength), log: this.logs.get(element) });
      this.failed = isRetried.test(text) ? undefined : element;
    }
  }

  /** A line that is no message of a job. */
  private other(line: string): void {
    const named = this.namesLog ? line.trim() : undefined;
    this.namesLog = logFollows.test(line);
    if (named !== undefined) this.ended(named);
    if (line.trim() === "") return;
    this.directory ||= logDirectory.exec(line)?.[1] ?? "";
    const [, error] = generalError.exec(line) ?? [];
    if (error !== undefined || !line.startsWith("@stillage ")) {
      if (/^ {4}/.test(line) && this.skipsIndented) return;
      this.keep(error ?? line);
    }
    this.skipsIndented = error === undefined && line.startsWith("@stillage ");
  }

  /** The end of a failed job's log is printed behind its last message, and of no other. */
  private ended(log: string): void {
    const element = this.failed;
    if (element === undefined || this.logs.get(element) !== log) return;
    this.failed = undefined;
    this.told.failed(element);
  }

  private start(job: string, element: string, log: string): void {
    this.logs.set(element, log);
    if (job === "build") this.told.started?.(element, log);
  }

  private keep(line: string): void {
    this.lines.push(line.slice(0, keptLineLength));
    if (this.lines.length > keptLines) this.lines.shift();
  }
}
