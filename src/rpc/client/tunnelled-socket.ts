import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Opens a connection, and says on the way how far it is. `signal`: of giving it up. */
export type OpenSocket = (
  signal: AbortSignal,
  reached: (stage: "connect" | "secureConnect", at: Socket) => void,
) => Promise<Socket>;

/**
 * A connection that takes more steps than a socket's own, and can be written to before it stands, as a socket can. Emits `connect` and `secureConnect` as a socket does, with the
 * socket that is meant.
 */
export class TunnelledSocket extends Duplex {
  readonly #open: OpenSocket;
  readonly #stop = new AbortController();
  #inner: Socket | undefined;

  constructor(open: OpenSocket) {
    super();
    this.#open = open;
  }

  get bytesRead(): number {
    return this.#inner?.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.#inner?.bytesWritten ?? 0;
  }

  override destroy(error?: Error): this {
    this.#stop.abort();
    return super.destroy(error);
  }

  /** Nothing is read or written before this is done. */
  override _construct(done: (error?: Error | null) => void): void {
    const reached = (stage: string, at: Socket): void => void this.emit(stage, at);
    this.#open(this.#stop.signal, reached).then((socket) => {
      this.#inner = socket;
      socket.on("data", (chunk) => {
        if (!this.push(chunk)) socket.pause();
      });
      socket.once("end", () => this.push(null));
      socket.on("error", (error) => this.destroy(error));
      socket.once("close", () => {
        // What came before its end may not have been read yet.
        if (socket.readableEnded && !this.readableEnded) this.once("end", () => this.destroy());
        else this.destroy();
      });
      done();
    }, done);
  }

  override _read(): void {
    this.#inner?.resume();
  }

  override _writev(chunks: readonly { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    const socket = this.#inner as Socket;
    socket.cork();
    for (const [i, { chunk }] of chunks.entries()) socket.write(chunk, i === chunks.length - 1 ? done : undefined);
    socket.uncork();
  }

  override _final(done: () => void): void {
    this.#inner?.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }
}
