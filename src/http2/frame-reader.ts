import { ConnectionError, clientPreface, errorCode, flag, frameHeaderBytes, frameType } from "./protocol.ts";

/** What frames are handed to. Every method may throw a ConnectionError. */
export interface FrameSink {
  /** A DATA frame begins; `length` is what it takes from the windows, padding and all. */
  dataFrame(stream: number, length: number): void;
  /** A piece of its data. */
  dataPiece(bytes: Buffer, start: number, end: number): void;
  dataEnd(endStream: boolean): void;
  /** Any other frame, whole: its payload is `bytes` from `start` to `end`, good for the time of the call. */
  frame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void;
}

const inPreface = 0;
const inHeader = 1;
const inPadLength = 2;
const inData = 3;
const inPadding = 4;
const inFrame = 5;

/** Cuts what a connection receives into frames: RFC 9113, section 4.1. Data passes through as it comes; other frames are put together. */
export class FrameReader {
  private readonly sink: FrameSink;
  private readonly maxFrameBytes: number;
  private state = inPreface;
  /** What is left of what `state` reads. */
  private left = clientPreface.length;
  private header: Buffer = Buffer.allocUnsafe(frameHeaderBytes);
  private type = 0;
  private flags = 0;
  private stream = 0;
  private padding = 0;
  /** Collects a frame that came in pieces. */
  private partial: Buffer | undefined;
  private started = false;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.sink = sink;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Takes `bytes` up to `end`. Throws a ConnectionError, after which nothing more may be given. */
  push(bytes: Buffer, end: number): void {
    let at = 0;
    while (at < end) {
      switch (this.state) {
        case inHeader:
          at = this.takeHeader(bytes, at, end);
          break;
        case inData:
          at = this.takeData(bytes, at, end);
          break;
        case inFrame:
          at = this.takeFrame(bytes, at, end);
          break;
        case inPadLength:
          this.padding = bytes[at++] as number;
          this.left--;
          if (this.padding > this.left) throw new ConnectionError(errorCode.protocolError, "more padding than payload");
          this.left -= this.padding;
          this.state = inData;
          if (this.left === 0) this.endData();
          break;
        case inPadding: {
          const skipped = Math.min(this.left, end - at);
          at += skipped;
          this.left -= skipped;
          if (this.left === 0) this.endFrame();
          break;
        }
        default:
          at = this.takePreface(bytes, at, end);
      }
    }
  }

  private takePreface(bytes: Buffer, from: number, end: number): number {
    let at = from;
    for (; at < end && this.left > 0; at++, this.left--) {
      if (bytes[at] !== clientPreface[clientPreface.length - this.left]) {
        throw new ConnectionError(errorCode.protocolError, "this is not the HTTP/2 preface");
      }
    }
    if (this.left === 0) this.endFrame();
    return at;
  }

  private takeHeader(bytes: Buffer, at: number, end: number): number {
    if (this.left === frameHeaderBytes && end - at >= frameHeaderBytes) {
      this.beginFrame(bytes, at);
      return at + frameHeaderBytes;
    }
    const taken = Math.min(this.left, end - at);
    bytes.copy(this.header, frameHeaderBytes - this.left, at, at + taken);
    this.left -= taken;
    if (this.left === 0) this.beginFrame(this.header, 0);
    return at + taken;
  }

  private beginFrame(bytes: Buffer, at: number): void {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    this.type = bytes[at + 3] as number;
    this.flags = bytes[at + 4] as number;
    this.stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.left = length;
    if (length > this.maxFrameBytes) throw new ConnectionError(errorCode.frameSizeError, `a frame of ${length} bytes`);
    if (!this.started) {
      if (this.type !== frameType.settings || (this.flags & flag.ack) !== 0) {
        throw new ConnectionError(errorCode.protocolError, "the first frame is not SETTINGS");
      }
      this.started = true;
    }
    if (this.type === frameType.data) {
      this.sink.dataFrame(this.stream, length);
      this.padding = 0;
      if ((this.flags & flag.padded) !== 0) {
        if (length === 0) throw new ConnectionError(errorCode.frameSizeError, "a padded frame without padding");
        this.state = inPadLength;
      } else if (length === 0) this.endData();
      else this.state = inData;
      return;
    }
    if (length === 0) {
      this.sink.frame(this.type, this.flags, this.stream, bytes, 0, 0);
      this.endFrame();
    } else this.state = inFrame;
  }

  private takeData(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.left, end - at);
    this.left -= taken;
    this.sink.dataPiece(bytes, at, at + taken);
    if (this.left === 0) this.endData();
    return at + taken;
  }

  private endData(): void {
    this.sink.dataEnd((this.flags & flag.endStream) !== 0);
    if (this.padding > 0) {
      this.left = this.padding;
      this.state = inPadding;
    } else this.endFrame();
  }

  private takeFrame(bytes: Buffer, at: number, end: number): number {
    if (this.partial === undefined) {
      if (end - at >= this.left) {
        const stop = at + this.left;
        this.sink.frame(this.type, this.flags, this.stream, bytes, at, stop);
        this.endFrame();
        return stop;
      }
      this.partial = Buffer.allocUnsafe(this.left);
    }
    const { partial } = this;
    const taken = Math.min(this.left, end - at);
    bytes.copy(partial, partial.length - this.left, at, at + taken);
    this.left -= taken;
    if (this.left === 0) {
      this.partial = undefined;
      this.sink.frame(this.type, this.flags, this.stream, partial, 0, partial.length);
      this.endFrame();
    }
    return at + taken;
  }

  private endFrame(): void {
    this.state = inHeader;
    this.left = frameHeaderBytes;
  }
}
