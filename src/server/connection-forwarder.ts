import { connect, type Socket } from "node:net";
import type { Peer } from "../base/peer.ts";

/** Hands whole connections to another process, which listens at one Unix socket for those that may push and at another for the rest. */
export class ConnectionForwarder {
  private readonly socketFor: (peer: Peer) => string;
  private readonly onGone: () => void;
  private readonly connections = new Set<Socket>();

  /** `onGone` is called when nobody listens at a socket. */
  constructor(socketFor: (peer: Peer) => string, onGone: () => void) {
    this.socketFor = socketFor;
    this.onGone = onGone;
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
    other.once("error", () => {
      if (!connected) this.onGone();
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
