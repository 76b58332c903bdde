import type { StillageError } from "../base/errors.ts";
import { BodyQueue } from "./body-queue.ts";
import type { HeaderBlock } from "./hpack-encoder.ts";
import { copyBytes } from "./outbox.ts";
import { errorCode, flag, frameType, maxWindow } from "./protocol.ts";
import type { Sender } from "./sender.ts";
import type { Lender, RequestSink, ServerStream } from "./stream.ts";

/** A short body goes out without standing in line behind the long ones. */
const shortBytes = 16 * 1024;

const noTrailers: HeaderBlock = Buffer.alloc(0);

/** What a stream says to its connection. */
export interface StreamOwner {
  readonly sender: Sender;
  /** The stream is over. `early`: the client does not know that yet, and may go on sending. */
  forget(stream: Http2Stream, early: boolean): void;
  /** A queue has become shorter, by sending or by giving up. */
  unqueued(): void;
}

/** One request and its response: RFC 9113, section 5.1, from the server's side. */
export class Http2Stream implements ServerStream {
  readonly id: number;
  readonly owner: StreamOwner;
  sink: RequestSink | undefined;
  sendWindow: number;
  receiveWindow: number;
  /** The client has ended its side. */
  remoteDone = false;
  /** Body that the client announced and has not sent; -1 where it announced none. */
  announced = -1;
  /** We have ended our side, or either side has reset the stream. */
  over = false;
  private queue: BodyQueue | undefined;
  /** Trailers to be sent once the queue is empty; `noTrailers` where the body's last frame ends the stream. */
  private last: HeaderBlock | undefined;
  private wakeBelow = -1;
  /** Whether the sender has this stream among those that it serves by turns. */
  inLine = false;

  constructor(id: number, owner: StreamOwner, receiveWindow: number) {
    this.id = id;
    this.owner = owner;
    this.sendWindow = owner.sender.initialWindow;
    this.receiveWindow = receiveWindow;
  }

  get queued(): number {
    return this.queue === undefined ? 0 : this.queue.bytes;
  }

  /** Whether there is body to send that the stream's own window allows. */
  get sendable(): boolean {
    return this.queued > 0 && this.sendWindow > 0;
  }

  grant(bytes: number): void {
    if (this.remoteDone || this.over) return;
    this.receiveWindow += bytes;
    this.owner.sender.windowUpdate(this.id, bytes);
  }

  headers(block: HeaderBlock, end: boolean): void {
    if (this.over) return;
    if (this.queued > 0) this.last = block;
    else {
      this.owner.sender.headers(this.id, block, end);
      if (end) this.finish();
    }
  }

  write(head: Uint8Array, parts: readonly Uint8Array[], bytes: number, lender: Lender): void {
    if (this.over || bytes === 0) {
      lender.sent?.();
      return;
    }
    const { sender } = this.owner;
    if (this.queued === 0 && bytes <= shortBytes && bytes <= this.sendWindow && sender.takes(bytes)) {
      const { outbox } = sender;
      this.takeWindow(bytes);
      outbox.frameHeader(bytes, frameType.data, 0, this.id);
      outbox.copy(head, 0, head.length);
      for (const part of parts) outbox.piece(part, 0, part.length);
      if (bytes <= copyBytes) lender.sent?.();
      else if (lender.sent !== undefined) outbox.notify(lender);
      sender.schedule();
      return;
    }
    this.queue ??= new BodyQueue();
    this.queue.push(head, parts, bytes, lender);
    sender.queued += bytes;
    this.standInLine();
  }

  end(): void {
    if (this.over) return;
    if (this.queued > 0) {
      this.last = noTrailers;
      return;
    }
    this.owner.sender.outbox.frameHeader(0, frameType.data, flag.endStream, this.id);
    this.owner.sender.schedule();
    this.finish();
  }

  wakeAt(bytes: number): void {
    this.wakeBelow = bytes;
  }

  reset(code: number): void {
    if (this.over) return;
    this.owner.sender.rstStream(this.id, code);
    this.stop();
    this.owner.forget(this, !this.remoteDone);
  }

  /** The client has reset the stream, or the connection is gone. */
  abort(reason: StillageError): void {
    if (this.over) return;
    this.stop();
    this.owner.forget(this, false);
    this.sink?.aborted(reason);
  }

  /** Adds to the client's window for this stream; returns false where that becomes too large. */
  addSendWindow(bytes: number): boolean {
    this.sendWindow += bytes;
    this.standInLine();
    return this.sendWindow <= maxWindow;
  }

  sendSome(most: number): void {
    const { queue } = this;
    if (queue === undefined || this.over) return;
    const { sender } = this.owner;
    let left = most;
    while (queue.bytes > 0) {
      const bytes = Math.min(queue.bytes, this.sendWindow, sender.window, sender.maxFrame, left);
      if (bytes <= 0) break;
      const ends = bytes === queue.bytes && this.last === noTrailers;
      sender.outbox.frameHeader(bytes, frameType.data, ends ? flag.endStream : 0, this.id);
      queue.moveTo(sender.outbox, bytes);
      this.takeWindow(bytes);
      sender.queued -= bytes;
      left -= bytes;
    }
    if (queue.bytes === 0 && this.last !== undefined) {
      if (this.last !== noTrailers) sender.headers(this.id, this.last, true);
      this.finish();
    } else if (queue.bytes <= this.wakeBelow) {
      this.wakeBelow = -1;
      this.sink?.drained();
    }
    this.owner.unqueued();
  }

  private takeWindow(bytes: number): void {
    this.sendWindow -= bytes;
    this.owner.sender.window -= bytes;
  }

  private standInLine(): void {
    if (this.inLine || !this.sendable) return;
    this.inLine = true;
    this.owner.sender.enqueue(this);
  }

  /** Our side is said: the client need not go on with its own (section 8.1). */
  private finish(): void {
    this.over = true;
    if (!this.remoteDone) this.owner.sender.rstStream(this.id, errorCode.noError);
    this.owner.forget(this, !this.remoteDone);
  }

  private stop(): void {
    this.over = true;
    if (this.queue === undefined) return;
    this.owner.sender.queued -= this.queue.bytes;
    this.queue.clear(this.owner.sender.outbox);
    this.owner.unqueued();
  }
}
