import { SlabPool } from "./slab-pool.ts";

/** Messages up to here are garbage like any other object: Node serves them from a pool of its own. */
const smallBytes = 2048;

/** A request message, and what has to be given back for it. */
export class Message {
  readonly bytes: Buffer;
  readonly compressed: boolean;
  /** The buffer that `bytes` is the beginning of; `undefined` for garbage. */
  readonly slab: Buffer | undefined;
  /** Share of the budget. */
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

interface Request {
  readonly bytes: number;
  readonly connection: ConnectionMemory;
}

/**
 * The memory of all request messages: a pool of buffers, and a budget for long messages, given out in the order of asking. A
 * connection that has none of it gets a message's share whatever the others hold, so that slow clients do not stop the rest.
 */
export class MessageMemory {
  readonly pool = new SlabPool();
  private readonly budget: number;
  private reserved = 0;
  private readonly waiting = new Map<Waiter, Request>();

  constructor(budget: number) {
    this.budget = budget;
  }

  /** What the messages of one connection are taken from. */
  connection(): ConnectionMemory {
    return new ConnectionMemory(this);
  }

  /** Takes a share of the budget; false where the waiter has to wait for it. */
  reserve(request: Request, waiter: Waiter): boolean {
    if ((this.waiting.size === 0 && this.fits(request.bytes)) || request.connection.reserved === 0) {
      this.add(request);
      return true;
    }
    this.waiting.set(waiter, request);
    return false;
  }

  unreserve({ bytes, connection }: Request): void {
    this.reserved -= bytes;
    connection.reserved -= bytes;
    this.serve();
  }

  leave(waiter: Waiter): void {
    if (this.waiting.delete(waiter)) this.serve();
  }

  private fits(bytes: number): boolean {
    return this.reserved + bytes <= this.budget;
  }

  private add({ bytes, connection }: Request): void {
    this.reserved += bytes;
    connection.reserved += bytes;
  }

  private serve(): void {
    let passed = false;
    for (const [waiter, request] of this.waiting) {
      if ((!passed && this.fits(request.bytes)) || request.connection.reserved === 0) {
        this.waiting.delete(waiter);
        this.add(request);
        waiter.granted();
      } else passed = true;
    }
  }
}

/** The request messages of one connection. */
export class ConnectionMemory {
  /** Its part of the budget. */
  reserved = 0;
  private readonly memory: MessageMemory;

  constructor(memory: MessageMemory) {
    this.memory = memory;
  }

  /** Takes a share of the budget; false where the waiter has to wait for it. */
  reserve(bytes: number, waiter: Waiter): boolean {
    return this.memory.reserve({ bytes, connection: this }, waiter);
  }

  /** Gives a share back. */
  unreserve(bytes: number): void {
    if (bytes > 0) this.memory.unreserve({ bytes, connection: this });
  }

  /** Stops waiting. */
  leave(waiter: Waiter): void {
    this.memory.leave(waiter);
  }

  /** A buffer of at least so many bytes; `undefined` where they are too few to be worth it. */
  slab(bytes: number): Buffer | undefined {
    return bytes <= smallBytes ? undefined : this.memory.pool.take(bytes);
  }

  giveSlab(slab: Buffer): void {
    this.memory.pool.give(slab);
  }

  /** Takes a message back that nobody looks at any more. */
  release(message: Message): void {
    if (message.slab !== undefined) this.giveSlab(message.slab);
    this.unreserve(message.reserved);
  }
}
