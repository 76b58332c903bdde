import { HpackDecoder } from "./hpack-decoder.ts";
import { ConnectionError, errorCode, flag } from "./protocol.ts";
import { RequestHeaders } from "./request-headers.ts";

/** CONTINUATION frames of one block. A block within the size limit needs few; a client that sends more means no good. */
const maxContinuations = 64;

/** A block may be this much longer than the list it is allowed to decode to, to be refused with its connection unharmed. */
const blockAllowance = 4;

const noBytes: Buffer = Buffer.alloc(0);

/** A decoded block of a HEADERS frame and its CONTINUATION frames. */
export interface HeadersReceived {
  readonly stream: number;
  readonly endStream: boolean;
  /** Depends on itself, which RFC 7540, section 5.3.1, forbade. */
  readonly dependsOnItself: boolean;
  readonly headers: RequestHeaders;
}

/** Puts header blocks together and decodes them: RFC 9113, sections 6.2 and 6.10. */
export class HeaderBlocks {
  private readonly decoder = new HpackDecoder();
  private readonly maxListBytes: number;
  private stream = 0;
  private endStream = false;
  private dependsOnItself = false;
  private collected: Buffer = noBytes;
  private continuations = 0;

  constructor(maxListBytes: number) {
    this.maxListBytes = maxListBytes;
  }

  /** The stream whose block has begun and not ended, which nothing may interrupt; 0 where there is none. */
  get open(): number {
    return this.stream;
  }

  /** Takes a HEADERS frame; `undefined` where the block goes on. */
  begin(stream: number, flags: number, bytes: Buffer, from: number, to: number): HeadersReceived | undefined {
    let start = from;
    let end = to;
    if ((flags & flag.padded) !== 0) {
      if (end === start) throw new ConnectionError(errorCode.frameSizeError, "a padded frame without padding");
      end -= bytes[start++] as number;
    }
    this.dependsOnItself = false;
    if ((flags & flag.priority) !== 0) {
      if (end - start < 5) throw new ConnectionError(errorCode.frameSizeError, "HEADERS too short for its priority");
      this.dependsOnItself = (bytes.readUInt32BE(start) & 0x7fff_ffff) === stream;
      start += 5;
    }
    if (end < start) throw new ConnectionError(errorCode.protocolError, "more padding than payload");
    this.stream = stream;
    this.endStream = (flags & flag.endStream) !== 0;
    this.continuations = 0;
    if ((flags & flag.endHeaders) !== 0) return this.decode(bytes, start, end);
    this.collected = Buffer.from(bytes.subarray(start, end));
    return undefined;
  }

  /** Takes a CONTINUATION frame of the open block. */
  proceed(flags: number, bytes: Buffer, start: number, end: number): HeadersReceived | undefined {
    this.continuations++;
    if (
      this.continuations > maxContinuations ||
      this.collected.length + end - start > this.maxListBytes * blockAllowance
    ) {
      throw new ConnectionError(errorCode.enhanceYourCalm, "a header block that is too long");
    }
    this.collected = Buffer.concat([this.collected, bytes.subarray(start, end)]);
    if ((flags & flag.endHeaders) === 0) return undefined;
    const block = this.collected;
    this.collected = noBytes;
    return this.decode(block, 0, block.length);
  }

  private decode(bytes: Buffer, start: number, end: number): HeadersReceived {
    const headers = new RequestHeaders(this.maxListBytes);
    this.decoder.decode(bytes, start, end, headers);
    const { stream, endStream, dependsOnItself } = this;
    this.stream = 0;
    return { stream, endStream, dependsOnItself, headers };
  }
}
