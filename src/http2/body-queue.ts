import type { Outbox } from "./outbox.ts";
import type { Lender } from "./stream.ts";

/** Parts that have left make room in the lists no sooner than this, and no sooner than they are half of them: moving the rest costs. */
const manyParts = 64;

const noBytes = new Uint8Array(0);

/** The part of a response's body that could not be sent at once. */
export class BodyQueue {
  bytes = 0;
  private parts: Uint8Array[] = [];
  /** At a part's place: who is to be told once it has left. */
  private lenders: (Lender | undefined)[] = [];
  private head = 0;
  /** What has left of the part at `head`. */
  private offset = 0;

  /** Takes a copy of `first` and the rest as it is, `bytes` in all. */
  push(first: Uint8Array, parts: readonly Uint8Array[], bytes: number, lender: Lender): void {
    if (first.length > 0) this.parts.push(Buffer.from(first));
    for (const part of parts) this.parts.push(part);
    if (lender.sent !== undefined) {
      if (this.parts.length === this.head) this.parts.push(noBytes);
      this.lenders[this.parts.length - 1] = lender;
    }
    this.bytes += bytes;
  }

  /** Moves `bytes` to the outbox; there are as many. */
  moveTo(outbox: Outbox, bytes: number): void {
    this.bytes -= bytes;
    let left = bytes;
    while (left > 0 || (this.bytes === 0 && this.head < this.parts.length)) {
      const part = this.parts[this.head] as Uint8Array;
      const end = Math.min(part.length, this.offset + left);
      outbox.piece(part, this.offset, end);
      left -= end - this.offset;
      this.offset = end;
      if (end === part.length) this.leave(outbox);
    }
    if (this.head === this.parts.length) {
      this.parts = [];
      this.lenders = [];
      this.head = 0;
    }
  }

  private leave(outbox: Outbox): void {
    const lender = this.lenders[this.head];
    if (lender !== undefined) {
      this.lenders[this.head] = undefined;
      outbox.notify(lender);
    }
    // A queue that is never quite empty would keep the whole body otherwise.
    this.parts[this.head] = noBytes;
    this.head++;
    this.offset = 0;
    if (this.head < manyParts || this.head * 2 < this.parts.length) return;
    this.parts.splice(0, this.head);
    this.lenders.splice(0, this.head);
    this.head = 0;
  }

  /** Gives everything up. Part of a message may be in the outbox already, so lenders are told when that has left. */
  clear(outbox: Outbox): void {
    const lenders = this.lenders.slice(this.head);
    this.parts = [];
    this.lenders = [];
    this.head = 0;
    this.offset = 0;
    this.bytes = 0;
    for (const lender of lenders) if (lender !== undefined) outbox.notify(lender);
  }
}
