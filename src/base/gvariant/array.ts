import { type Codec, notOfType } from "./codec.ts";
import { widthFor, widthIn } from "./offset-width.ts";
import { notNormal } from "./source.ts";
import type { Value } from "./value.ts";

/** An array of elements that all take `size` bytes: they lie behind each other. */
export function fixedArray(element: Codec, size: number): Codec {
  const type = `a${element.type}`;
  return {
    ...{ type, size: undefined, alignment: element.alignment, depth: element.depth + 1 },
    read(from, start, end, depth) {
      const count = (end - start) / size;
      if (!Number.isInteger(count)) notNormal(`an ${type} ends within an element`);
      from.spend(count);
      const values = new Array<Value>(count);
      for (let i = 0, at = start; i < count; i++, at += size) values[i] = element.read(from, at, at + size, depth - 1);
      return values;
    },
    write(into, value) {
      for (const each of listOf(type, value)) element.write(into, each);
    },
  };
}

/** An array of elements of different sizes: behind them, in the same order, stands where each ends. */
export function variableArray(element: Codec): Codec {
  const type = `a${element.type}`;
  const { alignment } = element;
  return {
    ...{ type, size: undefined, alignment, depth: element.depth + 1 },
    read(from, start, end, depth) {
      const size = end - start;
      if (size === 0) return [];
      const width = widthIn(size);
      if (size < width) notNormal("an array is shorter than its offsets");
      const body = from.offset(end - width, width);
      const count = (size - body) / width;
      if (!(count >= 1) || !Number.isInteger(count)) notNormal(`an ${type} does not end where its last element does`);
      if (widthFor(body, count) !== width) notNormal("offsets are wider than they need be");
      from.spend(count);
      const values = new Array<Value>(count);
      let at = start;
      for (let i = 0; i < count; i++) {
        const begin = from.align(at, alignment, start + body);
        at = start + from.offset(start + body + i * width, width);
        if (at < begin || at > start + body) notNormal("offsets are not in order");
        values[i] = element.read(from, begin, at, depth - 1);
      }
      return values;
    },
    write(into, value) {
      const list = listOf(type, value);
      const start = into.at;
      const ends: number[] = [];
      for (const each of list) {
        into.align(alignment);
        element.write(into, each);
        ends.push(into.at - start);
      }
      into.offsets(ends, widthFor(into.at - start, ends.length));
    },
  };
}

function listOf(type: string, value: Value): readonly Value[] {
  if (!Array.isArray(value)) notOfType(type, `${typeof value} is no list`);
  return value;
}
