import { once } from "node:events";
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";
import { Transform, type TransformCallback } from "node:stream";

/** What is done to the bytes that go in one direction over one connection; counts begin with each connection. */
export interface Fault {
  /** So many bytes arrive, then both ends are cut. */
  readonly cutAfter?: number;
  /** After so many bytes nothing passes any more, and the connection stays open. 0: nothing ever does. */
  readonly stallAfter?: number;
  /** The byte at this offset is changed. */
  readonly corruptAt?: number;
  /** Each piece passes so many milliseconds later. */
  readonly delayMs?: number;
}

export interface ConnectionFaults {
  /** From the client to the server. */
  readonly up?: Fault;
  /** From the server to the client. */
  readonly down?: Fault;
}

/** Gives the faults of the connection of that number, counted from 0; `undefined` for one that passes everything. */
export type FaultPlan = (connection: number) => ConnectionFaults | undefined;

/** Bytes that have passed, over all connections, and how many there have been of those. */
export interface Passed {
  up: number;
  down: number;
  connections: number;
}

/** A TCP proxy that does harm. */
export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly passed: Passed;
  /** Treats connections from now on so, begins to count anew, and leaves those that are open as they are. */
  plan(plan: FaultPlan): void;
  /** Cuts all connections that are open. */
  cut(): void;
}

/** Starts a proxy of what listens at `target`: `HOST:PORT`, or `unix:PATH`. */
export async function startFaultProxy(target: string, plan: FaultPlan = () => undefined): Promise<FaultProxy> {
  const where = parseTarget(target);
  const open = new Set<Socket>();
  const passed: Passed = { up: 0, down: 0, connections: 0 };
  let current = plan;
  const listener = createServer((client) => {
    const faults = current(passed.connections++) ?? {};
    const server = connect(where);
    const cutUp = (): void => cutBoth(client, server);
    const cutDown = (): void => cutBoth(server, client);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.setNoDelay();
      socket.on("error", () => {});
      socket.once("close", () => {
        open.delete(socket);
        client.destroySoon();
        server.destroySoon();
      });
    }
    client.pipe(new FaultyLine(faults.up ?? {}, (bytes) => (passed.up += bytes), cutUp)).pipe(server);
    server.pipe(new FaultyLine(faults.down ?? {}, (bytes) => (passed.down += bytes), cutDown)).pipe(client);
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const cutAll = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    passed,
    plan(next) {
      current = next;
      Object.assign(passed, { up: 0, down: 0, connections: 0 });
    },
    cut: cutAll,
    async [Symbol.asyncDispose]() {
      listener.close();
      cutAll();
      if (listener.listening) await once(listener, "close");
    },
  };
}

/** What was passed on arrives before the end does. */
function cutBoth(from: Socket, to: Socket): void {
  if (from.connecting) from.destroy();
  else from.resetAndDestroy();
  to.destroySoon();
}

function parseTarget(target: string): NetConnectOpts {
  if (target.startsWith("unix:")) return { path: target.slice("unix:".length) };
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(target) ?? [];
  return { host, port: Number(port) };
}

/** One direction of one connection. */
class FaultyLine extends Transform {
  readonly #fault: Fault;
  readonly #passed: (bytes: number) => void;
  readonly #cut: () => void;
  #at = 0;

  constructor(fault: Fault, passed: (bytes: number) => void, cut: () => void) {
    super();
    this.#fault = fault;
    this.#passed = passed;
    this.#cut = cut;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const {
      cutAfter = Number.POSITIVE_INFINITY,
      stallAfter = Number.POSITIVE_INFINITY,
      corruptAt,
      delayMs,
    } = this.#fault;
    const start = this.#at;
    const piece = chunk.subarray(0, Math.max(0, Math.min(cutAfter, stallAfter) - start));
    this.#at += piece.length;
    if (corruptAt !== undefined && corruptAt >= start && corruptAt < this.#at) {
      piece[corruptAt - start] = (piece[corruptAt - start] as number) ^ 0x20;
    }
    const pass = (): void => {
      this.#passed(piece.length);
      this.push(piece);
      if (this.#at >= cutAfter) this.#cut();
      else if (this.#at < stallAfter) done(); // where it is not called, no more is read
    };
    if (delayMs === undefined) pass();
    else setTimeout(pass, delayMs);
  }
}
