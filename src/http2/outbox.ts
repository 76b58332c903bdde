import type { Socket } from "node:net";
import { frameHeaderBytes } from "./protocol.ts";
import type { Lender } from "./stream.ts";

/** Small pieces are copied here, side by side, so that they go out as one. */
const slabBytes = 64 * 1024;

/** The first slab of a connection: many of them never send more than this. */
const firstSlabBytes = 4096;

/** Up to here a copy is cheaper than one piece more for the kernel. */
export const copyBytes = 2048;

/** A write of more than this asks to be told when it is done. */
const unwatchedBytes = 16 * 1024;

/** What goes to the socket next: collected while frames are made, written at once by `flush`. */
export class Outbox {
  private readonly socket: Socket;
  /** Called when what was written has left, after a time in which `blocked` was true. */
  private readonly onRoom: () => void;
  private slab: Buffer = Buffer.allocUnsafeSlow(firstSlabBytes);
  private from = 0;
  private at = 0;
  private pieces: Uint8Array[] = [];
  private lenders: Lender[] = [];
  /** Whether a piece is a view of memory that is not ours. */
  private borrowed = false;
  /** The lenders of each write that is on its way, the oldest first. */
  private readonly away: Lender[][] = [];
  /** Bytes collected since the last flush. */
  pending = 0;
  /** The socket does not take what it was given: to give it more now would only fill memory. */
  blocked = false;

  constructor(socket: Socket, onRoom: () => void) {
    this.socket = socket;
    this.onRoom = onRoom;
  }

  frameHeader(length: number, type: number, flags: number, stream: number): void {
    const { slab } = this.room(frameHeaderBytes);
    let at = this.at;
    slab[at++] = length >>> 16;
    slab[at++] = length >>> 8;
    slab[at++] = length;
    slab[at++] = type;
    slab[at++] = flags;
    slab[at++] = stream >>> 24;
    slab[at++] = stream >>> 16;
    slab[at++] = stream >>> 8;
    slab[at++] = stream;
    this.at = at;
    this.pending += frameHeaderBytes;
  }

  uint32(value: number): void {
    const { slab } = this.room(4);
    this.at = slab.writeUInt32BE(value, this.at);
    this.pending += 4;
  }

  /** Takes `bytes` from `start` to `end`: a copy of little, a view of much, which therefore stays as it is until the lender is told. */
  piece(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= copyBytes) this.copy(bytes, start, end);
    else {
      this.closeSlab();
      this.borrowed = true;
      this.pieces.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
      this.pending += length;
    }
  }

  /** Takes a copy of no more than the slab holds. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const { slab } = this.room(length);
    if (length < 48) for (let i = start, at = this.at; i < end; i++, at++) slab[at] = bytes[i] as number;
    else slab.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.at);
    this.at += length;
    this.pending += length;
  }

  /** Tells `lender` once all that was collected so far has left. */
  notify(lender: Lender): void {
    const written = this.away.at(-1);
    if (this.pending > 0) this.lenders.push(lender);
    else if (written !== undefined) written.push(lender);
    else lender.sent?.();
  }

  /** Hands what was collected to the socket, unless that is full: `onRoom` follows then. */
  flush(): void {
    if (this.pending === 0 || this.blocked) return;
    this.closeSlab();
    const { socket, pieces } = this;
    const watched =
      this.borrowed || this.lenders.length > 0 || this.pending > unwatchedBytes || socket.writableLength > 0;
    if (watched) {
      this.away.push(this.lenders);
      this.lenders = [];
    }
    this.pieces = [];
    this.borrowed = false;
    this.pending = 0;
    const last = pieces.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(pieces[i] as Uint8Array);
    if (watched) socket.write(pieces[last] as Uint8Array, this.written);
    else socket.write(pieces[last] as Uint8Array);
    if (last > 0) socket.uncork();
    if (socket.writableLength === 0) {
      // The kernel has it all, so the slab can be filled again.
      this.from = 0;
      this.at = 0;
    } else this.blocked = watched;
  }

  /** Gives up what was not handed to the socket; for the rest, its lenders hear from the socket. */
  abandon(): void {
    const { lenders } = this;
    this.pieces = [];
    this.lenders = [];
    this.pending = 0;
    this.from = this.at;
    for (const lender of lenders) lender.sent?.();
  }

  private readonly written = (): void => {
    for (const lender of this.away.shift() ?? []) lender.sent?.();
    if (this.away.length === 0 && this.blocked) {
      this.blocked = false;
      this.onRoom();
    }
  };

  private room(bytes: number): this {
    if (this.at + bytes > this.slab.length) {
      this.closeSlab();
      this.renewSlab();
    }
    return this;
  }

  private closeSlab(): void {
    if (this.at === this.from) return;
    this.pieces.push(this.slab.subarray(this.from, this.at));
    this.from = this.at;
  }

  private renewSlab(): void {
    this.slab = Buffer.allocUnsafeSlow(slabBytes);
    this.from = 0;
    this.at = 0;
  }
}
