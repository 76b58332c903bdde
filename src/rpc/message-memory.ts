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

/** A long message on its way, for which there is a share. */
export interface Filling {
  /** How much of it has come. */
  readonly filled: number;
  /** Whether it is we who let nothing more of it come. */
  readonly heldBack: boolean;
  /** Nothing more of it has come for long. */
  stalled(): void;
}

interface Request {
  readonly bytes: number;
  readonly connection: ConnectionMemory;
}

/** Checks in a row, half a minute in all, at which next to nothing of a message has come, before its share is taken back. */
const stalledChecks = 6;

/** What has to come meanwhile: the slowest lines bring more. */
const leastBytes = 16 * 1024;

/**
 * The memory of all request messages: a pool of buffers, and a budget for long messages, given out in the order of asking; to one
 * client half of it at most. A connection that has none of it gets a message's share though others hold the budget, so that slow clients do not stop
 * the rest; with what is given out so, it is twice the budget at most.
 */
export class MessageMemory {
  readonly pool = new SlabPool();
  private readonly budget: number;
  private reserved = 0;
  private readonly waiting = new Map<Waiter, Request>();
  /** What all connections of a client hold. */
  private readonly clients = new Map<string, number>();
  private readonly filling = new Map<Filling, { filled: number; checks: number }>();

  constructor(budget: number) {
    this.budget = budget;
  }

  /** What the messages of one connection are taken from; those of one client share a bound. Without a name it is a client by itself. */
  connection(client?: string): ConnectionMemory {
    return new ConnectionMemory(this, client);
  }

  /** Called now and then, some seconds apart: takes shares back from messages of which nothing comes. */
  check(): void {
    for (const [message, seen] of this.filling) {
      const { filled } = message;
      if (message.heldBack || filled >= seen.filled + leastBytes) this.filling.set(message, { filled, checks: 0 });
      else if (++seen.checks === stalledChecks) message.stalled();
    }
  }

  fills(message: Filling): void {
    this.filling.set(message, { filled: message.filled, checks: 0 });
  }

  filled(message: Filling): void {
    this.filling.delete(message);
  }

  /** Takes a share of the budget; false where the waiter has to wait for it. */
  reserve(request: Request, waiter: Waiter): boolean {
    if ((this.waiting.size === 0 && this.fits(request)) || this.isFirst(request)) {
      this.add(request);
      return true;
    }
    this.waiting.set(waiter, request);
    return false;
  }

  unreserve({ bytes, connection }: Request): void {
    this.reserved -= bytes;
    connection.reserved -= bytes;
    const { client } = connection;
    if (client !== undefined) this.count(client, -bytes);
    this.serve();
  }

  leave(waiter: Waiter): void {
    if (this.waiting.delete(waiter)) this.serve();
  }

  private fits(request: Request): boolean {
    return this.reserved + request.bytes <= this.budget && this.fitsClient(request);
  }

  /** Within half of the budget, but for a message that alone is larger. */
  private fitsClient({ bytes, connection: { client } }: Request): boolean {
    const own = client === undefined ? 0 : (this.clients.get(client) ?? 0);
    return own === 0 || own + bytes <= this.budget / 2;
  }

  /** The only message of its connection, where that is no more than the rest holds. */
  private isFirst(request: Request): boolean {
    const { bytes, connection } = request;
    const fits = this.reserved === 0 || this.reserved + bytes <= 2 * this.budget;
    return connection.reserved === 0 && fits && this.fitsClient(request);
  }

  private add({ bytes, connection }: Request): void {
    this.reserved += bytes;
    connection.reserved += bytes;
    const { client } = connection;
    if (client !== undefined) this.count(client, bytes);
  }

  private count(name: string, bytes: number): void {
    const reserved = (this.clients.get(name) ?? 0) + bytes;
    if (reserved === 0) this.clients.delete(name);
    else this.clients.set(name, reserved);
  }

  private serve(): void {
    let passed = false;
    for (const [waiter, request] of this.waiting) {
      if ((!passed && this.fits(request)) || this.isFirst(request)) {
        this.waiting.delete(waiter);
        this.add(request);
        waiter.granted();
      } else if (this.fitsClient(request)) passed = true;
    }
  }
}

/** The request messages of one connection. */
export class ConnectionMemory {
  /** Its part of the budget. */
  reserved = 0;
  /** Whose connection it is. */
  readonly client: string | undefined;
  private readonly memory: MessageMemory;

  constructor(memory: MessageMemory, client: string | undefined) {
    this.memory = memory;
    this.client = client;
  }

  /** Takes a share of the budget; false where the waiter has to wait for it. */
  reserve(bytes: number, waiter: Waiter): boolean {
    return this.memory.reserve({ bytes, connection: this }, waiter);
  }

  /** Gives a share back. */
  unreserve(bytes: number): void {
    if (bytes > 0) this.memory.unreserve({ bytes, connection: this });
  }

  /** A message for which there is a share is on its way. */
  fills(message: Filling): void {
    this.memory.fills(message);
  }

  /** It has come, or never will. */
  filled(message: Filling): void {
    this.memory.filled(message);
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
