import type { Socket } from "node:net";
import type { HeaderBlock } from "./hpack-encoder.ts";
import { Outbox } from "./outbox.ts";
import { defaultWindow, flag, frameType, minMaxFrameSize } from "./protocol.ts";

/** What is collected for one write: enough to be worth a system call, and little enough to take turns with reading. */
const batchBytes = 512 * 1024;

/** What a stream may send before it is another's turn. */
const turnBytes = 64 * 1024;

/** A stream with body to send. */
interface Sending {
  readonly sendable: boolean;
  inLine: boolean;
  /** Moves up to `bytes` of its body to the outbox. */
  sendSome(bytes: number): void;
}

/** The sending side of one connection: frames go to the outbox, bodies of many streams by turns as windows allow. */
export class Sender {
  readonly outbox: Outbox;
  /** The connection's window: body that the client still takes. */
  window = defaultWindow;
  /** The client's SETTINGS_MAX_FRAME_SIZE. */
  maxFrame = minMaxFrameSize;
  /** The client's SETTINGS_INITIAL_WINDOW_SIZE. */
  initialWindow = defaultWindow;
  /** Body of all streams that waits to be sent. */
  queued = 0;
  /** Called once, as soon as all that was said has left. */
  onFlushed: (() => void) | undefined;
  private readonly ready: Sending[] = [];
  private scheduled = false;
  /** What was received is being dealt with, and `pump` follows. */
  private held = false;
  private closed = false;

  constructor(socket: Socket) {
    this.outbox = new Outbox(socket, () => this.pump());
  }

  /** Whether a short body can go straight to the outbox. */
  takes(bytes: number): boolean {
    return bytes <= this.window && bytes <= this.maxFrame && this.outbox.pending < batchBytes && !this.outbox.blocked;
  }

  /** Puts a stream in line. It is taken out once it has nothing to send, or no window. */
  enqueue(stream: Sending): void {
    this.ready.push(stream);
    this.schedule();
  }

  /** Sees to it that what was collected goes out once the work at hand is done. */
  schedule(): void {
    if (this.scheduled || this.held) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  /** Collects what is to be sent until the next `pump`. */
  hold(): void {
    this.held = true;
  }

  /** Sends what can be sent now. */
  pump(): void {
    this.held = false;
    if (this.closed) return;
    const { outbox, ready } = this;
    while (!outbox.blocked && this.window > 0 && outbox.pending < batchBytes) {
      const stream = ready.shift();
      if (stream === undefined) break;
      stream.sendSome(turnBytes);
      stream.inLine = stream.sendable;
      if (stream.inLine) ready.push(stream);
    }
    outbox.flush();
    if (outbox.pending === 0 && !outbox.blocked && this.onFlushed !== undefined) {
      const { onFlushed } = this;
      this.onFlushed = undefined;
      onFlushed();
    }
    if (!outbox.blocked && this.window > 0 && ready.length > 0) this.schedule();
  }

  headers(stream: number, block: HeaderBlock, end: boolean): void {
    const { outbox, maxFrame } = this;
    const first = Math.min(block.length, maxFrame);
    let flags = end ? flag.endStream : 0;
    if (first === block.length) flags |= flag.endHeaders;
    outbox.frameHeader(first, frameType.headers, flags, stream);
    outbox.piece(block, 0, first);
    for (let at = first; at < block.length; ) {
      const next = Math.min(block.length, at + maxFrame);
      outbox.frameHeader(next - at, frameType.continuation, next === block.length ? flag.endHeaders : 0, stream);
      outbox.piece(block, at, next);
      at = next;
    }
    this.schedule();
  }

  windowUpdate(stream: number, bytes: number): void {
    this.outbox.frameHeader(4, frameType.windowUpdate, 0, stream);
    this.outbox.uint32(bytes);
    this.schedule();
  }

  rstStream(stream: number, code: number): void {
    this.outbox.frameHeader(4, frameType.rstStream, 0, stream);
    this.outbox.uint32(code);
    this.schedule();
  }

  ping(payload: Buffer, at: number): void {
    this.outbox.frameHeader(8, frameType.ping, flag.ack, 0);
    this.outbox.copy(payload, at, at + 8);
    this.schedule();
  }

  goaway(lastStream: number, code: number, message: string): void {
    const text = Buffer.from(message);
    this.outbox.frameHeader(8 + text.length, frameType.goaway, 0, 0);
    this.outbox.uint32(lastStream);
    this.outbox.uint32(code);
    this.outbox.copy(text, 0, text.length);
    this.schedule();
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    const payload = Buffer.alloc(values.length * 6);
    values.forEach(([id, value], i) => {
      payload.writeUInt16BE(id, i * 6);
      payload.writeUInt32BE(value, i * 6 + 2);
    });
    this.outbox.frameHeader(payload.length, frameType.settings, 0, 0);
    this.outbox.copy(payload, 0, payload.length);
    this.schedule();
  }

  settingsAck(): void {
    this.outbox.frameHeader(0, frameType.settings, flag.ack, 0);
    this.schedule();
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    this.closed = true;
    this.ready.length = 0;
    this.outbox.abandon();
  }

  private readonly run = (): void => {
    this.scheduled = false;
    this.pump();
  };
}
