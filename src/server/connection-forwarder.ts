import { connect, type Socket } from "node:net";
import type { Log } from "../base/log.ts";
import type { Peer } from "../base/peer.ts";

/** Nobody listens at a Unix socket, or it is not there. Other failures pass: here or there are too many open files, or connections. */
const goneCodes = new Set(["ECONNREFUSED", "ENOENT"]);

/** Hands whole connections to another process, which listens at one Unix socket for those that may push and at another for the rest. */
export class ConnectionForwarder {
  private readonly socketFor: (peer: Peer) => string;
  private readonly onGone: () => void;
  private readonly log: Log;
  private readonly connections = new Set<Socket>();

  /** `onGone` is called when nobody listens at a socket. */
  constructor(socketFor: (peer: Peer) => string, onGone: () => void, log: Log) {
    this.socketFor = socketFor;
    this.onGone = onGone;
    this.log = log;
  }

  /** Takes over a connection of which `head` has been read. Its end on one side is its end on the other. */
  accept(socket: Socket, peer: Peer, head: Uint8Array = new Uint8Array()): void {
    const other = connect(this.socketFor(peer));
    let connected = false;
    this.connections.add(socket);
    const end = (): void => {
      this.connections.delete(socket);
      socket.destroy();
      other.destroy();
    };
    other.once("connect", () => {
      connected = true;
    });
    other.once("error", (error: NodeJS.ErrnoException) => {
      if (connected) return;
      if (goneCodes.has(error.code ?? "")) this.onGone();
      else this.log.warn({ peer: peer.address, reason: error.message }, "a connection could not be handed on");
    });
    socket.on("error", end);
    socket.once("close", end);
    other.once("close", end);
    other.write(head);
    socket.pipe(other);
    other.pipe(socket);
  }

  /** Waits for what is open to end, `graceMs` at most, and cuts the rest. */
  async close(graceMs: number): Promise<void> {
    const cut = setTimeout(() => {
      for (const socket of this.connections) socket.destroy();
    }, graceMs);
    await Promise.all([...this.connections].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    clearTimeout(cut);
  }
}
