import { grpcStatus } from "../status.ts";
import { RpcError } from "./rpc-error.ts";

/** A flag byte and the length of the message that follows, big-endian (doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
const prefixBytes = 5;

/** Up to this a message is copied behind its prefix, because another piece costs more; beyond it copying does. */
const copiedBytes = 64 << 10;

/** A message, which may come in parts, as pieces to be sent. Those of a large one are the parts as they are. */
export function frame(message: readonly Uint8Array[]): Uint8Array[] {
  let length = 0;
  for (const part of message) length += part.length;
  const copied = length <= copiedBytes;
  const framed = new Uint8Array(prefixBytes + (copied ? length : 0));
  new DataView(framed.buffer).setUint32(1, length);
  if (!copied) return [framed, ...message];
  let at = prefixBytes;
  for (const part of message) {
    framed.set(part, at);
    at += part.length;
  }
  return [framed];
}

/** Cuts the bytes of a stream into messages. */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #prefix = new Uint8Array(prefixBytes);
  #prefixed = 0;
  #message: Uint8Array | undefined;
  #filled = 0;

  /** Messages longer than `maxBytes` are refused with RESOURCE_EXHAUSTED, as every gRPC library does. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the stream may end here. */
  get between(): boolean {
    return this.#prefixed === 0;
  }

  /** The messages that `chunk` completes. */
  *take(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    while (at < chunk.length) {
      at += this.#message === undefined ? this.#takePrefix(chunk, at) : this.#takeBody(this.#message, chunk, at);
      if (this.#message !== undefined && this.#filled === this.#message.length) {
        yield this.#message;
        this.#message = undefined;
        this.#prefixed = 0;
      }
    }
  }

  #takePrefix(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + prefixBytes - this.#prefixed);
    this.#prefix.set(part, this.#prefixed);
    this.#prefixed += part.length;
    if (this.#prefixed === prefixBytes) this.#begin();
    return part.length;
  }

  #takeBody(message: Uint8Array, chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + message.length - this.#filled);
    message.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }

  #begin(): void {
    if (this.#prefix[0] !== 0) throw new RpcError(grpcStatus.internal, "the server sent a compressed message unasked");
    const length = new DataView(this.#prefix.buffer).getUint32(1);
    if (length > this.#maxBytes) {
      throw new RpcError(
        grpcStatus.resourceExhausted,
        `a message of ${length} bytes is over the limit of ${this.#maxBytes}`,
      );
    }
    this.#message = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    this.#filled = 0;
  }
}
