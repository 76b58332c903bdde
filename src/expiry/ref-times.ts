import type { RefKind, RefOrder } from "../store/ref-admin.ts";
import type { Stamps } from "./stamps.ts";

/** Refs in the order of their last use, as `Stamps` understands it. */
export class RefTimes {
  readonly order: RefOrder;
  private readonly stamps: Stamps;
  /** Where those begin that no clock which went ahead has noted. */
  private readonly sound: number;

  constructor(order: RefOrder, stamps: Stamps) {
    this.order = order;
    this.stamps = stamps;
    let [low, high] = [order.pinned, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (stamps.ahead(this.noted(middle))) low = middle + 1;
      else high = middle;
    }
    this.sound = low;
  }

  /** The last use, in seconds since 1970. */
  at(place: number): number {
    return this.stamps.of(this.noted(place));
  }

  kind(place: number): RefKind {
    return this.order.kinds[this.order.kind[place] as number] as RefKind;
  }

  pinned(place: number): boolean {
    return place < this.order.pinned;
  }

  /** Whether it was used so lately, or is pinned, that no rule about room or age may take it. */
  held(place: number): boolean {
    return this.pinned(place) || this.leased(place);
  }

  leased(place: number): boolean {
    return this.at(place) >= this.stamps.leaseStart;
  }

  /** The places of all refs: the pinned ones, then the most recently used first. */
  *inOrder(): Generator<number, void> {
    const { pinned, length } = this.order;
    for (let i = 0; i < pinned; i++) yield i;
    let [moved, sound] = [pinned, this.sound];
    while (moved < this.sound || sound < length) {
      if (sound >= length || (moved < this.sound && this.at(moved) >= this.at(sound))) yield moved++;
      else yield sound++;
    }
  }

  private noted(place: number): number {
    return Math.floor((this.order.used[place] as number) / 1000);
  }
}
