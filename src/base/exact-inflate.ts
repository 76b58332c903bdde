import { createInflateRaw, inflateRawSync } from "node:zlib";
import { StillageError } from "./errors.ts";

/** What deflate can make of its input at the very most, in bytes of plain content per byte. */
const maxRatio = 1_032;

/** Deflated bytes that content of a size may take: no honest program comes near it, and blocks without content could go on for ever. */
const maxDeflated = (size: number): number => 2 * size + 64 * 1024;

/** Plain bytes that come out at a time. */
const chunkSize = 64 * 1024;

/**
 * Inflates a raw deflate stream of which the plain size is known beforehand. What comes out at a time is at most 64 KiB, and nothing is
 * inflated beyond one such piece after the size is exceeded. Everything but the very stream is `invalid`: too much, too little, a
 * stream that is cut or damaged, bytes behind its end, a stream that is far larger than what it holds.
 */
export class ExactInflate {
  private readonly size: number;
  private readonly stream = createInflateRaw({ chunkSize });
  private fed = 0;
  private given = 0;
  private failure: StillageError | undefined;
  /** Ends the call that is waiting for the stream. */
  private settle: (() => void) | undefined;

  /** `take` gets the plain bytes in order, each piece its own. */
  constructor(size: number, take: (plain: Buffer) => void) {
    this.size = size;
    this.stream.on("data", (plain: Buffer) => {
      this.given += plain.length;
      if (this.given > size) this.fail(new StillageError("invalid", moreThan(size)));
      else if (this.failure === undefined) take(plain);
    });
    this.stream.on("error", (error) => this.fail(notDeflated(error)));
    this.stream.on("end", () => this.settle?.());
  }

  /** Inflates the next bytes, which may change only when the promise has settled. One call at a time. Errors: `invalid`. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.fed += bytes.length;
    if (this.fed > maxDeflated(this.size)) throw new StillageError("invalid", swollen(this.size));
    await this.settled((done) => this.stream.write(bytes, done));
    this.checkAllTaken();
  }

  /** Says that there is no more. Errors: `invalid`. */
  async end(): Promise<void> {
    if (this.fed === 0) throw new StillageError("invalid", "the content is no deflate stream (it has no bytes)");
    await this.settled((done) => {
      this.stream.end();
      if (this.stream.readableEnded) done();
    });
    this.checkAllTaken();
    if (this.given !== this.size) throw new StillageError("invalid", lessThan(this.size, this.given));
  }

  /** Frees what the stream holds. Every user calls it in the end. */
  close(): void {
    this.fail(new StillageError("cancelled", "inflating was stopped"));
  }

  /** The stream takes no more once it has ended. */
  private checkAllTaken(): void {
    if (this.stream.bytesWritten < this.fed) this.fail(new StillageError("invalid", behindEnd));
    if (this.failure !== undefined) throw this.failure;
  }

  private settled(begin: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = () => {
        this.settle = undefined;
        if (this.failure === undefined) resolve();
        else reject(this.failure);
      };
      if (this.failure !== undefined) this.settle();
      else begin(() => this.settle?.());
    });
  }

  private fail(failure: StillageError): void {
    this.failure ??= failure;
    this.stream.destroy();
    this.settle?.();
  }
}

/** `ExactInflate` for bytes at hand and a size that may be held in memory: it never makes more than one byte above that. Errors: `invalid`. */
export function inflateExactly(bytes: Uint8Array, size: number): Buffer {
  if (bytes.length > maxDeflated(size)) throw new StillageError("invalid", swollen(size));
  if (size > bytes.length * maxRatio) throw new StillageError("invalid", lessThan(size, bytes.length * maxRatio));
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    const options = { info: true, maxOutputLength: Math.max(1, size), chunkSize: Math.max(64, size + 1) };
    result = inflateRawSync(bytes, options) as unknown as typeof result;
  } catch (error) {
    const tooMuch = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw tooMuch ? new StillageError("invalid", moreThan(size), { cause: error }) : notDeflated(error);
  }
  const { buffer, engine } = result;
  if (buffer.length > size) throw new StillageError("invalid", moreThan(size));
  if (buffer.length < size) throw new StillageError("invalid", lessThan(size, buffer.length));
  if (engine.bytesWritten < bytes.length) throw new StillageError("invalid", behindEnd);
  return buffer;
}

const swollen = (size: number): string => `the deflated content takes far more than the ${size} bytes that it makes`;
const behindEnd = "there are bytes behind the end of the deflated content";
const moreThan = (size: number): string => `the content is larger than the ${size} bytes that it is said to have`;
const lessThan = (size: number, most: number): string =>
  `the content has ${most} bytes at most and is said to have ${size}`;

function notDeflated(error: unknown): StillageError {
  if (error instanceof StillageError) return error;
  return new StillageError("invalid", `the content is no deflate stream (${(error as Error).message})`, {
    cause: error,
  });
}
