import type { Socket } from "node:net";
import { StillageError } from "../base/errors.ts";
import { FloodGuard } from "./flood-guard.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { HeaderBlocks, type HeadersReceived } from "./header-blocks.ts";
import type { Http2Limits } from "./limits.ts";
import { ConnectionError, defaultWindow, errorCode, flag, frameType, maxWindow, setting } from "./protocol.ts";
import { RequestStreams } from "./request-streams.ts";
import { Sender } from "./sender.ts";
import { readSettings } from "./settings.ts";
import { takeInput } from "./socket-input.ts";
import type { RequestTarget } from "./stream.ts";

/** How long a client may take to read our last words before its socket is destroyed. */
const lingerMs = 1000;

/** Answers to control frames that wait; more mean a client that asks and does not read. */
const maxUnreadBytes = 1024 * 1024;

export interface ConnectionOptions {
  readonly limits: Http2Limits;
  readonly target: RequestTarget;
  /** Milliseconds of a clock that only goes on. */
  readonly now: () => number;
  /** Called once, when the connection is over and its last words are sent; `error` says why where something went wrong. */
  readonly closed: (error: Error | undefined) => void;
}

/** The server's end of one HTTP/2 connection: RFC 9113. */
export class Http2Connection implements FrameSink {
  private readonly socket: Socket;
  private readonly options: ConnectionOptions;
  private readonly reader: FrameReader;
  private readonly blocks: HeaderBlocks;
  private readonly guard: FloodGuard;
  private readonly sender: Sender;
  private readonly streams: RequestStreams;
  /** What the client may still send on the connection. */
  private receiveWindow = defaultWindow;
  /** When the client must have done what comes next, by `now`; `Infinity` where it has time. */
  private dueBy: number;
  private acknowledged = false;
  private over = false;
  private failure: Error | undefined;
  private reported = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.options = options;
    const { limits, target, now } = options;
    this.guard = new FloodGuard(now);
    this.blocks = new HeaderBlocks(limits.maxHeaderListBytes);
    this.reader = new FrameReader(this, limits.maxFrameBytes);
    this.dueBy = now() + limits.handshakeMs;
    this.socket = takeInput(socket, (bytes, length) => this.receive(bytes, length));
    this.sender = new Sender(this.socket);
    this.streams = new RequestStreams(this.sender, limits, target, this.guard, () => this.endWhenIdle());
    this.socket.on("error", (error) => this.close(error));
    this.socket.on("end", () => this.close(undefined));
    this.socket.on("close", () => {
      this.close(undefined);
      this.report();
    });
  }

  /** Begins, with what was already read from the socket. */
  start(head: Uint8Array | undefined): void {
    const { limits } = this.options;
    this.sender.settings([
      [setting.maxConcurrentStreams, limits.maxConcurrentStreams],
      [setting.initialWindowSize, limits.streamWindowBytes],
      [setting.maxFrameSize, limits.maxFrameBytes],
      [setting.maxHeaderListSize, limits.maxHeaderListBytes],
    ]);
    this.creditWindow();
    if (head !== undefined) this.receive(Buffer.from(head), head.length);
    this.socket.resume();
  }

  /** Body of responses that the client has not taken yet. */
  get queued(): number {
    return this.sender.queued;
  }

  /** Takes no new requests, and ends once those that run have ended. */
  drain(): void {
    if (this.over || this.streams.refusing) return;
    this.streams.refusing = true;
    this.sender.goaway(this.streams.last, errorCode.noError, "");
    this.endWhenIdle();
  }

  /** Ends everything at once. */
  destroy(): void {
    this.streams.interruptAll();
    this.finish(undefined);
  }

  /** Ends the connection if its client is overdue. To be called every few seconds. */
  check(): void {
    if (this.options.now() < this.dueBy) return;
    const code = this.acknowledged ? errorCode.enhanceYourCalm : errorCode.settingsTimeout;
    this.fail(new ConnectionError(code, "the client takes too long"));
  }

  private receive(bytes: Buffer, length: number): void {
    if (this.over) return;
    this.sender.hold();
    try {
      this.reader.push(bytes, length);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    if (this.blocks.open === 0) {
      if (this.acknowledged) this.dueBy = Number.POSITIVE_INFINITY;
    } else if (this.dueBy === Number.POSITIVE_INFINITY)
      this.dueBy = this.options.now() + this.options.limits.headerBlockMs;
    const { outbox } = this.sender;
    if (outbox.blocked && outbox.pending > maxUnreadBytes) {
      this.fail(new ConnectionError(errorCode.enhanceYourCalm, "too many answers that nobody reads"));
    } else this.sender.pump();
  }

  dataFrame(id: number, length: number): void {
    if (this.blocks.open !== 0) throw interrupted();
    if (length > this.receiveWindow)
      throw new ConnectionError(errorCode.flowControlError, "more DATA than the connection's window");
    this.receiveWindow -= length;
    if (this.receiveWindow < this.options.limits.connectionWindowBytes / 2) this.creditWindow();
    if (length === 0) this.guard.idle();
    else this.guard.work();
    this.streams.dataFrame(id, length);
  }

  dataPiece(bytes: Buffer, start: number, end: number): void {
    this.streams.dataPiece(bytes, start, end);
  }

  dataEnd(endStream: boolean): void {
    this.streams.dataEnd(endStream);
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { open } = this.blocks;
    if (open !== 0 && (type !== frameType.continuation || id !== open)) throw interrupted();
    const length = end - start;
    switch (type) {
      case frameType.headers:
        if (id % 2 === 0) throw wrongStream("HEADERS", id);
        this.takeHeaders(this.blocks.begin(id, flags, bytes, start, end));
        return;
      case frameType.continuation:
        if (open === 0) throw new ConnectionError(errorCode.protocolError, "CONTINUATION of nothing");
        this.takeHeaders(this.blocks.proceed(flags, bytes, start, end));
        return;
      case frameType.windowUpdate:
        requireLength("WINDOW_UPDATE", length, 4);
        this.takeWindowUpdate(id, bytes.readUInt32BE(start) & maxWindow);
        return;
      case frameType.rstStream:
        requireLength("RST_STREAM", length, 4);
        this.streams.reset(id);
        return;
      case frameType.settings:
        if (id !== 0) throw wrongStream("SETTINGS", id);
        this.takeSettings(flags, bytes, start, end);
        return;
      case frameType.ping:
        if (id !== 0) throw wrongStream("PING", id);
        requireLength("PING", length, 8);
        this.guard.idle();
        if ((flags & flag.ack) === 0) this.sender.ping(bytes, start);
        return;
      case frameType.goaway:
        if (id !== 0) throw wrongStream("GOAWAY", id);
        if (length < 8) throw new ConnectionError(errorCode.frameSizeError, "GOAWAY too short");
        return;
      case frameType.priority:
        if (id === 0) throw wrongStream("PRIORITY", id);
        this.guard.idle();
        if (length !== 5) this.streams.refuseFrame(id, errorCode.frameSizeError);
        else if ((bytes.readUInt32BE(start) & maxWindow) === id) this.streams.refuseFrame(id, errorCode.protocolError);
        return;
      case frameType.pushPromise:
        throw new ConnectionError(errorCode.protocolError, "a client cannot push");
      default: // unknown types are ignored (section 4.1)
        this.guard.idle();
    }
  }

  private takeHeaders(received: HeadersReceived | undefined): void {
    if (received !== undefined) this.streams.headers(received);
  }

  private takeSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    this.guard.idle();
    if ((flags & flag.ack) !== 0) {
      requireLength("SETTINGS acknowledgement", end - start, 0);
      this.acknowledged = true;
      return;
    }
    const { initialWindow, maxFrame } = readSettings(bytes, start, end);
    const { sender } = this;
    if (maxFrame !== undefined) sender.maxFrame = maxFrame;
    if (initialWindow !== undefined) {
      const change = initialWindow - sender.initialWindow;
      sender.initialWindow = initialWindow;
      this.streams.shiftSendWindows(change);
    }
    sender.settingsAck();
  }

  private takeWindowUpdate(id: number, bytes: number): void {
    if (id !== 0) {
      this.streams.windowUpdate(id, bytes);
      return;
    }
    if (bytes === 0) throw new ConnectionError(errorCode.protocolError, "WINDOW_UPDATE by nothing");
    this.sender.window += bytes;
    if (this.sender.window > maxWindow)
      throw new ConnectionError(errorCode.flowControlError, "a window that became too large");
  }

  private creditWindow(): void {
    const { connectionWindowBytes } = this.options.limits;
    this.sender.windowUpdate(0, connectionWindowBytes - this.receiveWindow);
    this.receiveWindow = connectionWindowBytes;
  }

  private fail(error: Error): void {
    if (this.over) return;
    const code = error instanceof ConnectionError ? error.code : errorCode.internalError;
    const message = error instanceof ConnectionError ? error.message : "";
    this.sender.goaway(this.streams.last, code, message);
    this.finish(error);
  }

  private endWhenIdle(): void {
    if (!this.streams.refusing || this.streams.size > 0) return;
    this.sender.onFlushed = () => this.finish(undefined);
    this.sender.schedule();
  }

  /** Sends what is left to say and ends the socket. */
  private finish(error: Error | undefined): void {
    if (this.over) return;
    this.sender.pump();
    const { blocked } = this.sender.outbox;
    this.close(error);
    if (blocked) {
      // The client has not read what came before our last words.
      this.socket.destroy();
      return;
    }
    this.socket.end(() => this.report());
    const timer = setTimeout(() => this.socket.destroy(), lingerMs);
    this.socket.once("close", () => clearTimeout(timer));
  }

  private close(error: Error | undefined): void {
    if (this.over) return;
    this.over = true;
    this.failure = error;
    this.streams.abortAll(new StillageError("cancelled", "the connection ended"));
    this.sender.close();
  }

  private report(): void {
    if (this.reported) return;
    this.reported = true;
    this.options.closed(this.failure);
  }
}

function requireLength(frame: string, length: number, wanted: number): void {
  if (length !== wanted) throw new ConnectionError(errorCode.frameSizeError, `${frame} of ${length} bytes`);
}

function wrongStream(frame: string, id: number): ConnectionError {
  return new ConnectionError(errorCode.protocolError, `${frame} on stream ${id}`);
}

function interrupted(): ConnectionError {
  return new ConnectionError(errorCode.protocolError, "a header block was interrupted");
}
