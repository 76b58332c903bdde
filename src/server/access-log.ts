import type { Clock } from "../base/clock.ts";
import { cut } from "../base/cut.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { CallObserver } from "../rpc/observer.ts";
import type { Call } from "../rpc/service.ts";
import { grpcStatusName } from "../rpc/status.ts";
import type { HttpObserver } from "./http-observer.ts";
import { parseRequestMetadata, type RequestMetadata, requestMetadataHeader } from "./request-metadata.ts";

/** One request, as a line of JSON has it. */
export interface AccessRecord {
  /** What it is called in the server's log and towards the client, too. */
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

/** Where the lines of an access log go, each whole and with its end. */
export interface AccessLines {
  write(line: string): void;
}

/** Who did what, how much of it, and how long it took: one line of JSON for each call and each HTTP request that has ended. */
export class AccessLog implements CallObserver, HttpObserver {
  private readonly lines: AccessLines;
  private readonly clock: Clock;
  private now = Number.NaN;
  private shown = "";
  /** The last that a client said of its calls: others that follow mostly say the same. */
  private metadataHeader: string | undefined;
  private metadata: RequestMetadata | undefined;

  constructor(lines: AccessLines, clock: Clock) {
    this.lines = lines;
    this.clock = clock;
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
  const short = cut(text);
  return plain.test(short) ? `"${short}"` : JSON.stringify(short);
}
