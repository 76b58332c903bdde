import { StillageError } from "../base/errors.ts";
import type { ServerStream } from "../http2/stream.ts";
import { type ConnectionMemory, type Filling, Message, type Waiter } from "./message-memory.ts";

/** A length-prefixed message begins with a flag and four bytes of length. */
const prefixBytes = 5;

/** What takes the messages. */
export interface MessageSink {
  message(message: Message): void;
  /** The client broke the framing, or a limit. Nothing more is read. */
  failed(error: StillageError): void;
}

/** A read-ahead of this much waits to be received before the client is let to send more. */
const readAheadBytes = 1024 * 1024;

/** When a client that was cut off in the middle may try again. */
const retryAfterMs = 1000;

/** What a message takes besides its bytes: the shortest are almost nothing on the wire. */
const overheadBytes = 256;

/**
 * Cuts a request's body into messages, each put together in one buffer (PROTOCOL-HTTP2.md of gRPC, "Length-Prefixed-Message"), and
 * grants the client what it may send: a little ahead always; the rest of a long message once there is memory for it.
 */
export class MessageReader implements Waiter, Filling {
  private readonly stream: ServerStream;
  private readonly sink: MessageSink;
  private readonly memory: ConnectionMemory;
  private readonly maxBytes: number;
  /** What a client may send without a share of the budget. */
  private readonly windowBytes: number;
  private prefix = 0;
  private prefixRead = 0;
  private compressed = false;
  /** Of the message at hand; -1 between messages. */
  private length = -1;
  filled = 0;
  private target: Buffer | undefined;
  private slab: Buffer | undefined;
  private reserved = 0;
  private waiting = false;
  /** What messages that nobody has received yet take. */
  private unread = 0;
  private stopped = false;

  constructor(stream: ServerStream, sink: MessageSink, memory: ConnectionMemory, maxBytes: number) {
    this.stream = stream;
    this.sink = sink;
    this.memory = memory;
    this.maxBytes = maxBytes;
    this.windowBytes = stream.receiveWindow;
  }

  /** Whether the body may end here. */
  get betweenMessages(): boolean {
    return this.length < 0 && this.prefixRead === 0;
  }

  /** Takes a piece of the body. */
  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.stopped) {
      if (this.length < 0) at = this.takePrefix(bytes, at, end);
      else at = this.takeBody(bytes, at, end);
    }
    this.replenish();
  }

  /** A message of so many bytes was received by the handler. */
  received(bytes: number): void {
    this.unread -= bytes + overheadBytes;
    this.replenish();
  }

  /** Reads no more and gives back the memory of the message at hand. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    if (this.waiting) this.memory.leave(this);
    if (this.slab !== undefined) this.memory.giveSlab(this.slab);
    if (this.reserved > 0) this.memory.filled(this);
    this.memory.unreserve(this.reserved);
    this.target = undefined;
    this.slab = undefined;
    this.reserved = 0;
  }

  get heldBack(): boolean {
    return this.unread >= readAheadBytes;
  }

  stalled(): void {
    const error = new StillageError("unavailable", "the rest of a message did not come", { retryAfterMs });
    this.refuse(error);
  }

  granted(): void {
    this.waiting = false;
    this.reserve();
    this.grow(this.length);
    this.replenish();
  }

  private takePrefix(bytes: Buffer, from: number, end: number): number {
    let at = from;
    for (; at < end && this.prefixRead < prefixBytes; at++, this.prefixRead++) {
      const byte = bytes[at] as number;
      if (this.prefixRead > 0) this.prefix = (this.prefix << 8) | byte;
      else if (byte > 1) {
        this.refuse(new StillageError("invalid", `a message with the unknown flag ${byte}`));
        return end;
      } else this.compressed = byte === 1;
    }
    if (this.prefixRead < prefixBytes) return at;
    const length = this.prefix >>> 0;
    this.prefixRead = 0;
    this.prefix = 0;
    if (length > this.maxBytes) {
      this.refuse(new StillageError("exhausted", `a message of ${length} bytes; at most ${this.maxBytes} are taken`));
      return end;
    }
    this.length = length;
    this.filled = 0;
    if (length > this.windowBytes && !this.memory.reserve(length, this)) {
      this.waiting = true;
      // What may come before the share of the budget does.
      this.allocate(Math.min(length, this.windowBytes));
    } else {
      if (length > this.windowBytes) this.reserve();
      this.allocate(length);
    }
    if (length === 0) this.deliver();
    return at;
  }

  private reserve(): void {
    this.reserved = this.length;
    this.memory.fills(this);
  }

  private takeBody(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.length - this.filled, end - at);
    if (this.waiting && this.filled + taken > (this.target as Buffer).length) this.grow(this.filled + taken);
    bytes.copy(this.target as Buffer, this.filled, at, at + taken);
    this.filled += taken;
    if (this.filled === this.length) this.deliver();
    return at + taken;
  }

  private allocate(bytes: number): void {
    this.slab = this.memory.slab(bytes);
    this.target = this.slab ?? Buffer.allocUnsafe(bytes);
  }

  /** Goes on with a larger buffer. */
  private grow(bytes: number): void {
    const { target, slab } = this;
    this.allocate(bytes);
    target?.copy(this.target as Buffer, 0, 0, this.filled);
    if (slab !== undefined) this.memory.giveSlab(slab);
  }

  private deliver(): void {
    const { length, slab } = this;
    const bytes = slab === undefined ? (this.target as Buffer) : slab.subarray(0, length);
    const message = new Message(bytes, this.compressed, slab, this.reserved);
    if (this.reserved > 0) this.memory.filled(this);
    this.length = -1;
    this.target = undefined;
    this.slab = undefined;
    this.reserved = 0;
    this.unread += length + overheadBytes;
    if (this.waiting) {
      // The message has come with what the client could send anyway.
      this.waiting = false;
      this.memory.leave(this);
    }
    this.sink.message(message);
  }

  private refuse(error: StillageError): void {
    this.stop();
    this.sink.failed(error);
  }

  private replenish(): void {
    if (this.stopped || this.waiting || this.unread >= readAheadBytes) return;
    const wanted = this.windowBytes + (this.length < 0 ? 0 : this.length - this.filled);
    const missing = wanted - this.stream.receiveWindow;
    if (missing >= this.windowBytes / 2) this.stream.grant(missing);
  }
}
