import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeHeaders, type HeaderList } from "./hpack-encoder.ts";
import { clientPreface, flag, frameHeaderBytes, frameType } from "./protocol.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

export function settings(...values: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = values.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)]));
  return frame(frameType.settings, 0, 0, Buffer.concat(payload));
}

export const postHeaders: HeaderList = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/"],
];

/** A HEADERS frame with a whole block. */
export function headers(stream: number, flags = 0, list: HeaderList = postHeaders): Buffer {
  return frame(frameType.headers, flag.endHeaders | flags, stream, encodeHeaders(list));
}

/** A client that says whatever a test wants, and hears everything. */
export class RawClient {
  readonly socket: Socket;
  /** All frames so far, but those that `next` and `until` have taken. */
  readonly frames: Frame[] = [];
  closed = false;
  private rest: Buffer = Buffer.alloc(0);
  private wake = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.take(bytes));
    const close = (): void => {
      this.closed = true;
      this.wake.resolve();
    };
    socket.on("error", close).on("close", close).on("end", close);
  }

  /** Connects; with `first`, says that instead of a preface with SETTINGS. */
  static async connect(
    port: number,
    first: Uint8Array = Buffer.concat([clientPreface, settings()]),
  ): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new RawClient(socket);
    await once(socket, "connect");
    client.send(first);
    return client;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  send(...bytes: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The next frame that `wanted` holds for; those before it are dropped. Fails when the connection ends first. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      for (let frame = this.frames.shift(); frame !== undefined; frame = this.frames.shift())
        if (wanted(frame)) return frame;
      assert.ok(!this.closed, "the connection ended before the frame that was wanted");
      await this.wake.promise;
    }
  }

  /** The next frame of a type. */
  next(type: number, stream?: number): Promise<Frame> {
    return this.until((frame) => frame.type === type && (stream === undefined || frame.stream === stream));
  }

  /** The error code of the GOAWAY that comes. */
  async goaway(): Promise<number> {
    return (await this.next(frameType.goaway)).payload.readUInt32BE(4);
  }

  /** The error code of a stream's reset. */
  async reset(stream: number): Promise<number> {
    return (await this.next(frameType.rstStream, stream)).payload.readUInt32BE(0);
  }

  /** Resolves once everything that was sent before has been dealt with. */
  async settled(): Promise<void> {
    const mark = Buffer.from("settled?");
    this.send(frame(frameType.ping, 0, 0, mark));
    for (;;) {
      const at = this.frames.findIndex(({ type, payload }) => type === frameType.ping && payload.equals(mark));
      if (at >= 0) {
        this.frames.splice(at, 1);
        return;
      }
      assert.ok(!this.closed, "the connection ended");
      await this.wake.promise;
    }
  }

  async ended(): Promise<void> {
    while (!this.closed) await this.wake.promise;
  }

  private take(bytes: Buffer): void {
    let rest = Buffer.concat([this.rest, bytes]);
    while (rest.length >= frameHeaderBytes) {
      const end = frameHeaderBytes + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const [type, flags] = [rest[3] as number, rest[4] as number];
      this.frames.push({ type, flags, stream: rest.readUInt32BE(5), payload: rest.subarray(frameHeaderBytes, end) });
      rest = rest.subarray(end);
    }
    this.rest = rest;
    this.wake.resolve();
    this.wake = Promise.withResolvers();
  }
}
