/**
 * How `bst` is told to write its messages, for `logging: message-format`: what the user has there is for people. The element is last, because it is padded, and has the job before it.
 */
export const messageFormat = "@stillage %{action} | %{message} | %{element}";

/** Activities of an element that are jobs: those have a log, and say its name where they begin. */
const message = /^@stillage ([A-Z]+) *\| (.*) \| *(fetch|build):(.*?) *$/;
const logDirectory = /^ *Log Files: +(\/.*)$/;
const isLog = (text: string): boolean => /^\S.*\.log$/.test(text);

/** Lines that may matter to whoever has to understand a failure. */
const keptLines = 40;
const keptLineLength = 500;

/** The longest line that is looked at: commands are told, and may be anything. */
const maxLineLength = 64 << 10;

/** What `bst build` tells of its jobs. */
export interface BstTold {
  /** `log` is its path. */
  started(element: string, log: string): void;
  built(element: string): void;
}

/** Reads what `bst build` prints as it comes. What it keeps is bounded. */
export class BstOutput {
  /** The last lines that are no messages of jobs: what it says where it cannot even begin. */
  readonly lines: string[] = [];
  /** Of jobs that failed, the last thing that was said of each, and its log. */
  readonly failures = new Map<string, { readonly why: string; readonly log: string | undefined }>();
  private readonly logs = new Map<string, string>();
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
      this.directory = logDirectory.exec(line)?.[1] ?? this.directory;
      if (line.trim() !== "" && !line.startsWith("@stillage ")) this.keep(line);
      return;
    }
    if (action === "START" && isLog(text)) this.start(job, element, `${this.directory}/${text}`);
    if (action === "SUCCESS" && job === "build" && isLog(text)) this.told.built(element);
    if (action === "FAILURE" || action === "ERROR" || action === "BUG") {
      const why = job === "fetch" ? `its sources could not be fetched: ${text}` : text;
      this.failures.set(element, { why: why.slice(0, keptLineLength), log: this.logs.get(element) });
    }
  }

  private start(job: string, element: string, log: string): void {
    this.logs.set(element, log);
    if (job === "build") this.told.started(element, log);
  }

  private keep(line: string): void {
    this.lines.push(line.slice(0, keptLineLength));
    if (this.lines.length > keptLines) this.lines.shift();
  }
}
