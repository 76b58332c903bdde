import { didYouMean } from "../config/nearest.ts";
import type { Problem } from "../config/problem.ts";
import { kindName, type ListNode, type MapNode, type Node, type ScalarNode, valueAt } from "./node.ts";

/** Reads what mappings say, and keeps everything that is wrong with it. */
export class ValueReader {
  readonly problems: Problem[] = [];

  report(origin: string, message: string): undefined {
    this.problems.push({ origin, message });
  }

  /** Keys that have no meaning here. */
  keys(map: MapNode, known: readonly string[]): void {
    for (const [key, { at }] of map.entries) {
      if (!known.includes(key)) this.report(at, `${key}: there is no such key here${didYouMean(key, known)}`);
    }
  }

  map(map: MapNode, key: string): MapNode | undefined {
    const value = valueAt(map, key);
    return value === undefined || value.kind === "map" ? value : this.#wrong(value, key, "a mapping");
  }

  list(map: MapNode, key: string): ListNode | undefined {
    const value = valueAt(map, key);
    return value === undefined || value.kind === "list" ? value : this.#wrong(value, key, "a list");
  }

  scalar(map: MapNode, key: string): ScalarNode | undefined {
    const value = valueAt(map, key);
    return value === undefined || value.kind === "scalar" ? value : this.#wrong(value, key, "a single value");
  }

  text(map: MapNode, key: string): string | undefined {
    return this.scalar(map, key)?.text.trim();
  }

  /** `1` and `0` are words for it since BuildStream 2. */
  boolean(map: MapNode, key: string, numbers: boolean): boolean | undefined {
    const value = this.scalar(map, key);
    if (value === undefined) return undefined;
    const text = value.text.trim();
    if (text === "true" || text === "True" || (numbers && text === "1")) return true;
    if (text === "false" || text === "False" || (numbers && text === "0")) return false;
    return this.report(value.at, `${key}: ${shown(value)} is neither true nor false`);
  }

  /** A whole number; `least` is the smallest that makes sense. */
  whole(map: MapNode, key: string, least = Number.MIN_SAFE_INTEGER): number | undefined {
    const value = this.scalar(map, key);
    if (value === undefined) return undefined;
    const text = value.text.trim();
    const number = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
    if (number !== undefined && number >= least) return number;
    const expected = least > Number.MIN_SAFE_INTEGER ? `a whole number of at least ${least}` : "a whole number";
    return this.report(value.at, `${key}: ${shown(value)} is not ${expected}`);
  }

  choice<T extends string>(map: MapNode, key: string, words: readonly T[]): T | undefined {
    const value = this.scalar(map, key);
    if (value === undefined) return undefined;
    const found = words.find((word) => word === value.text.trim());
    if (found !== undefined) return found;
    const meant = didYouMean(value.text, words);
    return this.report(value.at, `${key}: ${shown(value)} is none of ${words.join(", ")}${meant}`);
  }

  #wrong(value: Node, key: string, expected: string): undefined {
    return this.report(value.at, `${key}: ${expected} goes here, not ${kindName(value)}`);
  }
}

const shownLength = 80;

function shown({ text }: ScalarNode): string {
  return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
}
