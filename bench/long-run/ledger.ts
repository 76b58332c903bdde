import { urisOf } from "./element.ts";

/** A version of an element that a server has acknowledged. */
export interface Entry {
  readonly element: number;
  readonly version: number;
  /** When it was last pushed or found, in milliseconds since 1970, and in which life of the server. */
  used: number;
  life: number;
  /** Found missing since: pushed again before it counts as there. */
  gone: boolean;
}

/** What the server has acknowledged, as its clients remember it. */
export class Ledger {
  private readonly entries = new Map<string, Entry>();
  /** How often the server has been started. */
  life = 0;

  acknowledged(element: number, version: number): void {
    const entry = { element, version, used: Date.now(), life: this.life, gone: false };
    this.entries.set(keyOf(element, version), entry);
  }

  found(element: number, version: number): void {
    this.acknowledged(element, version);
  }

  /** Notes that it is missing, and returns what is known of it: `undefined` for what nobody has pushed, or was missing before. */
  missed(element: number, version: number): Entry | undefined {
    const entry = this.entries.get(keyOf(element, version));
    if (entry === undefined || entry.gone) return undefined;
    entry.gone = true;
    return entry;
  }

  all(): Iterable<Entry> {
    return this.entries.values();
  }
}

function keyOf(element: number, version: number): string {
  return urisOf(element, version)[0] as string;
}
