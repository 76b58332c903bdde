import { StillageError } from "../base/errors.ts";
import { ClosedStreams } from "./closed-streams.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { HeadersReceived } from "./header-blocks.ts";
import type { Http2Limits } from "./limits.ts";
import { ConnectionError, errorCode } from "./protocol.ts";
import type { RequestHeaders } from "./request-headers.ts";
import type { Sender } from "./sender.ts";
import { Http2Stream, type StreamOwner } from "./server-stream.ts";
import type { RequestTarget } from "./stream.ts";

/** The streams of a connection, and what becomes of the frames that the client sends on them: RFC 9113, section 5.1. */
export class RequestStreams implements StreamOwner {
  readonly sender: Sender;
  private readonly limits: Http2Limits;
  private readonly target: RequestTarget;
  private readonly guard: FloodGuard;
  private readonly onIdle: () => void;
  private readonly open = new Map<number, Http2Stream>();
  private readonly ended = new ClosedStreams();
  /** The stream of the DATA frame at hand; `undefined` where its data is of no use to anybody. */
  private current: Http2Stream | undefined;
  /** The highest stream that the client has opened. */
  last = 0;
  /** New requests are refused. */
  refusing = false;

  constructor(sender: Sender, limits: Http2Limits, target: RequestTarget, guard: FloodGuard, onIdle: () => void) {
    this.sender = sender;
    this.limits = limits;
    this.target = target;
    this.guard = guard;
    this.onIdle = onIdle;
  }

  get size(): number {
    return this.open.size;
  }

  headers({ stream: id, endStream, dependsOnItself, headers }: HeadersReceived): void {
    const stream = this.open.get(id);
    if (stream !== undefined) {
      if (stream.remoteDone) this.fail(stream, errorCode.streamClosed);
      else if (!endStream || !headers.trailing || dependsOnItself) this.fail(stream, errorCode.protocolError);
      else this.endRequest(stream);
      return;
    }
    if (id <= this.last) {
      if (this.ended.endedEarly(id)) return;
      const code = this.ended.has(id) ? errorCode.streamClosed : errorCode.protocolError;
      throw new ConnectionError(code, `HEADERS on stream ${id}, which is over`);
    }
    this.last = id;
    if (this.refusing || this.open.size >= this.limits.maxConcurrentStreams) this.turnAway(id, errorCode.refusedStream);
    else if (dependsOnItself || !headers.complete) this.turnAway(id, errorCode.protocolError);
    else this.begin(id, headers, endStream);
  }

  dataFrame(id: number, length: number): void {
    const stream = this.open.get(id);
    this.current = undefined;
    if (stream === undefined) {
      this.strayFrame(id);
      if (!this.ended.endedEarly(id)) this.sender.rstStream(id, errorCode.streamClosed);
    } else if (stream.remoteDone) this.fail(stream, errorCode.streamClosed);
    else if (length > stream.receiveWindow) this.fail(stream, errorCode.flowControlError);
    else {
      stream.receiveWindow -= length;
      this.current = stream;
    }
  }

  dataPiece(bytes: Buffer, start: number, end: number): void {
    const stream = this.current;
    if (stream === undefined || stream.over) return;
    if (stream.announced >= 0) {
      stream.announced -= end - start;
      if (stream.announced < 0) {
        this.fail(stream, errorCode.protocolError);
        return;
      }
    }
    stream.sink?.data(bytes, start, end);
  }

  dataEnd(endStream: boolean): void {
    const stream = this.current;
    if (endStream && stream !== undefined && !stream.over) this.endRequest(stream);
  }

  reset(id: number): void {
    const stream = this.open.get(id);
    if (stream === undefined) {
      this.strayFrame(id);
      return;
    }
    stream.abort(new StillageError("cancelled", "the client cancelled the call"));
    this.guard.giveUp();
  }

  /** A frame that was wrong in itself, on a stream in any state. */
  refuseFrame(id: number, code: number): void {
    const stream = this.open.get(id);
    if (stream === undefined) this.sender.rstStream(id, code);
    else this.fail(stream, code);
  }

  windowUpdate(id: number, bytes: number): void {
    const stream = this.open.get(id);
    if (stream === undefined) this.strayFrame(id);
    else if (bytes === 0) this.fail(stream, errorCode.protocolError);
    else if (!stream.addSendWindow(bytes)) this.fail(stream, errorCode.flowControlError);
  }

  /** The client's initial window has changed: so do the windows of all streams (section 6.9.2). */
  shiftSendWindows(bytes: number): void {
    for (const stream of this.open.values()) {
      if (!stream.addSendWindow(bytes))
        throw new ConnectionError(errorCode.flowControlError, "a window that became too large");
    }
  }

  /** Lets who serves requests say a last word. */
  interruptAll(): void {
    for (const stream of [...this.open.values()]) stream.sink?.interrupted?.();
  }

  abortAll(reason: StillageError): void {
    for (const stream of [...this.open.values()]) stream.abort(reason);
  }

  forget(stream: Http2Stream, early: boolean): void {
    this.open.delete(stream.id);
    this.ended.add(stream.id, early);
    if (this.open.size === 0) this.onIdle();
  }

  unqueued(): void {
    this.target.unqueued();
  }

  private begin(id: number, headers: RequestHeaders, endStream: boolean): void {
    const stream = new Http2Stream(id, this, this.limits.streamWindowBytes);
    stream.announced = headers.contentLength;
    this.open.set(id, stream);
    this.guard.work();
    stream.sink = this.target.open(stream, headers);
    if (endStream && !stream.over) this.endRequest(stream);
  }

  private endRequest(stream: Http2Stream): void {
    if (stream.announced > 0) {
      this.fail(stream, errorCode.protocolError);
      return;
    }
    stream.remoteDone = true;
    stream.sink?.end();
  }

  /** Refuses a stream that has not begun. */
  private turnAway(id: number, code: number): void {
    this.ended.add(id, true);
    this.sender.rstStream(id, code);
  }

  private fail(stream: Http2Stream, code: number): void {
    stream.reset(code);
    stream.sink?.aborted(new StillageError("cancelled", "the client broke the rules of HTTP/2"));
  }

  /** A frame on a stream that is not open: its end may not have been known; but if it was never opened, the connection ends. */
  private strayFrame(id: number): void {
    this.guard.idle();
    if (id > this.last || id % 2 === 0)
      throw new ConnectionError(errorCode.protocolError, `a frame on stream ${id}, which is idle`);
  }
}
