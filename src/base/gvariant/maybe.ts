import type { Codec } from "./codec.ts";
import { notNormal } from "./source.ts";

/**
 * Nothing is no bytes; a value of variable size has a zero byte behind it. A maybe that is nothing within one that is not has no JavaScript value of its own:
 * it is refused, as it would be written as something else.
 */
export function maybe(element: Codec): Codec {
  return {
    ...{ type: `m${element.type}`, size: undefined, alignment: element.alignment, depth: element.depth + 1 },
    read(from, start, end, depth) {
      if (start === end) return undefined;
      from.spend(1);
      if (element.size !== undefined) {
        if (end - start !== element.size) notNormal(`a maybe of ${element.type} has another size`);
        return element.read(from, start, end, depth - 1);
      }
      if (from.bytes[end - 1] !== 0) notNormal("a maybe does not end with zero");
      const value = element.read(from, start, end - 1, depth - 1);
      if (value === undefined) notNormal("nothing in a maybe of a maybe is not supported");
      return value;
    },
    write(into, value) {
      if (value === undefined) return;
      element.write(into, value);
      if (element.size === undefined) into.take(1);
    },
  };
}
