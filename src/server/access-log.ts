import type { Clock } from "../base/clock.ts";
import type { CallObserver } from "../rpc/observer.ts";
import type { Call } from "../rpc/service.ts";
import { grpcStatusName } from "../rpc/status.ts";

/** One request, as a line of JSON has it. */
export interface AccessRecord {
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
}

/** Where the lines of an access log go, each whole and with its end. */
export interface AccessLines {
  write(line: string): void;
}

/** What a client made up is cut: a resource name has some hundred characters. */
const maxWhat = 500;

/** Who did what, how much of it, and how long it took: one line of JSON for each call and each HTTP request that has ended. */
export class AccessLog implements CallObserver {
  private readonly lines: AccessLines;
  private readonly clock: Clock;
  private now = Number.NaN;
  private shown = "";

  constructor(lines: AccessLines, clock: Clock) {
    this.lines = lines;
    this.clock = clock;
  }

  started(): void {}

  finished(
    { caller, peer, method, instance, subject }: Call,
    status: number,
    _message: string,
    requestBytes: number,
    responseBytes: number,
    milliseconds: number,
  ): void {
    this.write({
      who: caller.name,
      peer: peer.address,
      call: method,
      instance,
      what: subject,
      status: grpcStatusName(status),
      in: requestBytes,
      out: responseBytes,
      ms: milliseconds,
    });
  }

  write(record: AccessRecord): void {
    const { who, peer, call, instance, what, status, ms } = record;
    const caller = `"time":"${this.time()}","who":${quote(who)},"peer":${quote(peer)}`;
    const about = `"call":${quote(call)},"instance":${quote(instance)},"what":${quote(what)},"status":"${status}"`;
    const howMuch = `"in":${record.in},"out":${record.out},"ms":${Math.round(ms * 1000) / 1000}`;
    this.lines.write(`{${caller},${about},${howMuch}}\n`);
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

/** Characters that stand for themselves in JSON. */
const plain = /^[ !#-[\]-~]*$/;

/** A text in JSON, a long one cut. The line is put together by hand, which takes half of the time that JSON.stringify does. */
function quote(text: string): string {
  const short = text.length <= maxWhat ? text : `${text.slice(0, maxWhat)}…`;
  return plain.test(short) ? `"${short}"` : JSON.stringify(short);
}
