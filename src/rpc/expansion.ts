import { gunzip } from "node:zlib";
import { StillageError } from "../base/errors.ts";
import type { ConnectionMemory, Waiter } from "./message-memory.ts";

/** A header and a trailer (RFC 1952, section 2.3). */
const shortestGzip = 18;

/** The least that zlib takes as the size of its output buffer. */
const minOutputBytes = 64;

/**
 * A message that came with grpc-encoding gzip, on its way to what it was: it waits for memory first. That share is apart from the one
 * that the message itself has, so nobody who holds a share waits for another of the same kind.
 */
export class Expansion implements Waiter {
  /** Errors: `invalid`, `exhausted`, and why it was given up. */
  readonly plain: Promise<Buffer>;
  private readonly outcome = Promise.withResolvers<Buffer>();
  private readonly bytes: Buffer;
  private readonly memory: ConnectionMemory;
  private readonly length: number = 0;
  private reserved = 0;
  private waiting = false;

  constructor(bytes: Buffer, maxBytes: number, memory: ConnectionMemory) {
    this.bytes = bytes;
    this.memory = memory;
    this.plain = this.outcome.promise;
    const length = statedLength(bytes);
    if (length === undefined) this.fail("invalid", "a message that is no gzip");
    else if (length > maxBytes)
      this.fail("exhausted", `a compressed message of ${length} bytes; at most ${maxBytes} are taken`);
    else {
      this.length = length;
      if (memory.reserve(length, this)) this.granted();
      else this.waiting = true;
    }
  }

  granted(): void {
    this.waiting = false;
    this.reserved = this.length;
    // One buffer of the right size, with room for zlib to see that it is the end.
    const chunkSize = Math.max(minOutputBytes, this.length + 1);
    gunzip(this.bytes, { maxOutputLength: Math.max(1, this.length), chunkSize }, (error, plain) => {
      if (error === null) this.outcome.resolve(plain);
      else this.fail("invalid", "a message that is no gzip of the length it states", error);
    });
  }

  /** Stops waiting. */
  giveUp(reason: StillageError): void {
    if (!this.waiting) return;
    this.waiting = false;
    this.memory.leave(this);
    this.outcome.reject(reason);
  }

  /** Gives the memory back: nobody looks at the plain message any more. */
  release(): void {
    this.memory.unreserve(this.reserved);
    this.reserved = 0;
  }

  private fail(code: "invalid" | "exhausted", message: string, cause?: Error): void {
    this.outcome.reject(new StillageError(code, message, { cause }));
  }
}

/** The length that the trailer of a gzip states; `undefined` for what is none. */
function statedLength(bytes: Buffer): number | undefined {
  if (bytes.length < shortestGzip || bytes.readUInt16BE(0) !== 0x1f8b) return undefined;
  return bytes.readUInt32LE(bytes.length - 4);
}
