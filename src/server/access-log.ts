import { setTimeout as delay } from "node:timers/promises";
import { destination } from "pino";
import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { CallObserver } from "../rpc/observer.ts";
import type { Call } from "../rpc/service.ts";
import { grpcStatusName } from "../rpc/status.ts";
import type { HttpObserver } from "./http-observer.ts";
import { parseRequestMetadata, type RequestMetadata, requestMetadataHeader } from "./request-metadata.ts";

/** One request, as a line of JSON has it. */
export interface AccessRecord {
  /** What it is called in the log and towards the client, too. */
  readonly id: string;
  /** The caller's name. */
  readonly who: string;
  /** `host:port`, or `unix`. */
  readonly peer: string;
  /** `package.Service/Method`, or `HTTP GET`. */
  readonly call: string;
  readonly instance: string;
  /** The resource, URI, key or path, where it is about one. */
  readonly what: string;
  /** The name of a gRPC status, or the number of an HTTP status. */
  readonly status: string;
  /** Bytes of messages or bodies that came. */
  readonly in: number;
  /** Bytes of messages or bodies that went out. */
  readonly out: number;
  readonly ms: number;
  /** What its client says that it belongs to. */
  readonly metadata?: RequestMetadata | undefined;
}

/** Lines are collected up to here, so that a busy server makes one write of some fifty. */
const collectedBytes = 8 * 1024;

/** And written after this time, whatever they are. */
const flushMs = 500;

/** What may wait where the disk is slower than the clients; beyond it lines are dropped, and counted. */
const maxWaitingBytes = 8 * 1024 * 1024;

/** How long lines may take to be written where something waits for them. */
const momentMs = 2000;

const complaintMs = 60_000;

const standardError = "stderr";

/** What a client made up is cut: a resource name has some hundred characters. */
const maxWhat = 500;

/** Who did what, how much of it, and how long it took: one line of JSON for each call and each HTTP request that has ended. */
export class AccessLog implements CallObserver, HttpObserver {
  private readonly clock: Clock;
  private readonly lines: ReturnType<typeof destination>;
  private readonly target: string;
  private readonly log: Log;
  /** Lines that were dropped, and when that was last told. */
  private lost = 0;
  private complained = Number.NEGATIVE_INFINITY;
  private now = Number.NaN;
  private shown = "";
  /** The last that a client said of its calls: others that follow mostly say the same. */
  private metadataHeader: string | undefined;
  private metadata: RequestMetadata | undefined;

  /** `target`: `stderr` or a file, which is appended to. Errors: `failed-precondition`. */
  static async open(target: string, clock: Clock, log: Log): Promise<AccessLog> {
    const toFile = target !== standardError;
    const lines = destination({
      ...(toFile ? { dest: target } : { fd: 2 }),
      append: true,
      sync: false,
      minLength: collectedBytes,
      maxLength: maxWaitingBytes,
      periodicFlush: flushMs,
    });
    if (toFile) await ready(lines, target);
    return new AccessLog(lines, target, clock, log);
  }

  private constructor(lines: AccessLog["lines"], target: string, clock: Clock, log: Log) {
    this.lines = lines;
    this.target = target;
    this.clock = clock;
    this.log = log;
    lines.on("error", (error: Error) => this.complain(error.message));
    lines.on("drop", () => {
      this.lost++;
      this.complain("lines wait for the disk");
    });
  }

  started(): void {}

  finished(
    call: Call,
    status: number,
    _message: string,
    requestBytes: number,
    responseBytes: number,
    milliseconds: number,
  ): void {
    const { caller, peer, method, instance, subject } = call;
    this.write({
      id: call.id,
      who: caller.name,
      peer: peer.address,
      call: method,
      instance,
      what: subject,
      status: grpcStatusName(status),
      in: requestBytes,
      out: responseBytes,
      ms: milliseconds,
      metadata: this.metadataOf(call.header(requestMetadataHeader)),
    });
  }

  answered(request: HttpRequest, status: number, responseBytes: number, milliseconds: number): void {
    const { id, caller, peer, method, instance, path, received } = request;
    this.write({
      id,
      who: caller.name,
      peer: peer.address,
      call: `HTTP ${method}`,
      instance,
      what: path,
      status: String(status),
      in: received,
      out: responseBytes,
      ms: milliseconds,
    });
  }

  write(record: AccessRecord): void {
    const { id, who, peer, call, instance, what, status, ms, metadata } = record;
    const caller = `"time":"${this.time()}","id":"${id}","who":${quote(who)},"peer":${quote(peer)}`;
    const about = `"call":${quote(call)},"instance":${quote(instance)},"what":${quote(what)},"status":"${status}"`;
    const howMuch = `"in":${record.in},"out":${record.out},"ms":${Math.round(ms * 1000) / 1000}`;
    const belongs = metadata === undefined ? "" : fieldsOf(metadata);
    this.lines.write(`{${caller},${about},${howMuch}${belongs}}\n`);
  }

  private metadataOf(header: string | undefined): RequestMetadata | undefined {
    if (header !== this.metadataHeader) {
      this.metadataHeader = header;
      this.metadata = header === undefined ? undefined : parseRequestMetadata(header);
    }
    return this.metadata;
  }

  /** ISO 8601, made once in a millisecond. */
  private time(): string {
    const now = this.clock();
    if (now !== this.now) {
      this.now = now;
      this.shown = new Date(now).toISOString();
    }
    return this.shown;
  }

  /** Writes what is left, and opens the file by its name again: whoever rotates logs has given the old one another. */
  async reopen(): Promise<void> {
    if (this.target === standardError) return;
    await inAMoment(new Promise((resolve) => this.lines.flush(resolve)));
    try {
      this.lines.reopen();
    } catch (error) {
      this.complain((error as Error).message);
    }
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.lines.once("close", resolve));
    this.lines.end();
    await inAMoment(closed);
    this.lines.destroy();
  }

  /** Once a minute: each line may fail. */
  private complain(reason: string): void {
    const now = this.clock();
    if (now - this.complained < complaintMs) return;
    this.complained = now;
    this.log.error({ file: this.target, reason, lost: this.lost }, "the access log fails");
  }
}

/** Waits for the disk, but not for long: one that is full must not keep the server from anything. */
async function inAMoment(work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(momentMs, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

/** What a client says of its call, where it says it. */
function fieldsOf({ tool, invocation, correlated, action }: RequestMetadata): string {
  let fields = "";
  if (tool !== "") fields += `,"tool":${quote(tool)}`;
  if (invocation !== "") fields += `,"invocation":${quote(invocation)}`;
  if (correlated !== "") fields += `,"correlated":${quote(correlated)}`;
  if (action !== "") fields += `,"action":${quote(action)}`;
  return fields;
}

/** Characters that stand for themselves in JSON. */
const plain = /^[ !#-[\]-~]*$/;

/** A text in JSON, a long one cut. The line is put together by hand, which takes half of the time that JSON.stringify does. */
function quote(text: string): string {
  const short = text.length <= maxWhat ? text : `${text.slice(0, maxWhat)}…`;
  return plain.test(short) ? `"${short}"` : JSON.stringify(short);
}

function ready(lines: ReturnType<typeof destination>, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    lines.once("ready", resolve);
    lines.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new StillageError("failed-precondition", `the access log ${target} cannot be opened (${error.code})`, {
          cause: error,
          hint: "it is a file that the server may write, in a folder that is there",
        }),
      );
    });
  });
}
