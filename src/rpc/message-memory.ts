/** Messages up to here are garbage like any other object: Node serves them from a pool of its own. */
const smallBytes = 2048;

const firstClassBytes = 4096;

/** Idle buffers are kept up to this sum, so that a busy server gets by without page faults. */
const maxIdleBytes = 24 * 1024 * 1024;

/** A request message, and what has to be given back for it. */
export class Message {
  readonly bytes: Buffer;
  readonly compressed: boolean;
  /** The buffer that `bytes` is the beginning of; `undefined` for garbage. */
  readonly slab: Buffer | undefined;
  /** Share of the memory budget. */
  readonly reserved: number;

  constructor(bytes: Buffer, compressed: boolean, slab: Buffer | undefined, reserved: number) {
    this.bytes = bytes;
    this.compressed = compressed;
    this.slab = slab;
    this.reserved = reserved;
  }
}

/** A message that waits for its share of the budget. */
export interface Waiter {
  /** The share is there. */
  granted(): void;
}

/** The memory of request messages: buffers that are used again, and a budget for the large ones. */
export class MessageMemory {
  private readonly budget: number;
  private reserved = 0;
  private readonly waiting = new Map<Waiter, number>();
  private readonly idle: Buffer[][] = [];
  private idleBytes = 0;

  constructor(budget: number) {
    this.budget = budget;
  }

  /** Takes a share of the budget; false where the waiter has to wait for it. */
  reserve(bytes: number, waiter: Waiter): boolean {
    if (this.waiting.size === 0 && this.fits(bytes)) {
      this.reserved += bytes;
      return true;
    }
    this.waiting.set(waiter, bytes);
    return false;
  }

  /** Gives a share back. */
  unreserve(bytes: number): void {
    if (bytes === 0) return;
    this.reserved -= bytes;
    this.serve();
  }

  /** Stops waiting. */
  leave(waiter: Waiter): void {
    if (this.waiting.delete(waiter)) this.serve();
  }

  /** A buffer of at least so many bytes; `undefined` where they are too few to be worth it. */
  slab(bytes: number): Buffer | undefined {
    if (bytes <= smallBytes) return undefined;
    const index = classOf(bytes);
    const buffer = this.idle[index]?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(sizeOf(index));
    this.idleBytes -= buffer.length;
    return buffer;
  }

  /** Takes a message back that nobody looks at any more. */
  release(message: Message): void {
    if (message.slab !== undefined) this.giveSlab(message.slab);
    this.unreserve(message.reserved);
  }

  giveSlab(slab: Buffer): void {
    if (this.idleBytes + slab.length > maxIdleBytes) return;
    const index = classOf(slab.length);
    this.idle[index] ??= [];
    this.idle[index].push(slab);
    this.idleBytes += slab.length;
  }

  private fits(bytes: number): boolean {
    return this.reserved === 0 || this.reserved + bytes <= this.budget;
  }

  private serve(): void {
    for (const [waiter, bytes] of this.waiting) {
      if (!this.fits(bytes)) return;
      this.waiting.delete(waiter);
      this.reserved += bytes;
      waiter.granted();
    }
  }
}

/** Buffers come in sizes of 4 KiB times 1, 1.5, 2, 3, 4, 6 and so on: at most a third of one is wasted. */
function classOf(bytes: number): number {
  if (bytes <= firstClassBytes) return 0;
  const exponent = 31 - Math.clz32((bytes - 1) / firstClassBytes);
  const power = firstClassBytes << exponent;
  return bytes <= power * 1.5 ? exponent * 2 + 1 : exponent * 2 + 2;
}

function sizeOf(index: number): number {
  const power = firstClassBytes << (index >> 1);
  return index % 2 === 0 ? power : power * 1.5;
}
