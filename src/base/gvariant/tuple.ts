import { type Codec, notOfType } from "./codec.ts";
import { widthFor, widthIn } from "./offset-width.ts";
import { notNormal } from "./source.ts";
import type { Value } from "./value.ts";

const aligned = (at: number, alignment: number): number => (at + alignment - 1) & -alignment;

/** A tuple or, with type `{…}`, a dictionary entry. */
export function tuple(type: string, members: readonly Codec[]): Codec {
  const alignment = Math.max(1, ...members.map((member) => member.alignment));
  const size = sizeOf(members, alignment);
  const common = { type, alignment, size, depth: 1 + Math.max(0, ...members.map((member) => member.depth)) };
  return size === undefined ? variableTuple(common, members) : fixedTuple({ ...common, size }, members);
}

/** `()` is one byte. */
function sizeOf(members: readonly Codec[], alignment: number): number | undefined {
  let size = 0;
  for (const member of members) {
    if (member.size === undefined) return undefined;
    size = aligned(size, member.alignment) + member.size;
  }
  return aligned(size, alignment) || 1;
}

type Shape = Pick<Codec, "type" | "alignment" | "size" | "depth">;

/** A tuple of which all members have a fixed size: it is padded at its end. */
function fixedTuple(shape: Shape & { readonly size: number }, members: readonly Codec[]): Codec {
  return {
    ...shape,
    read(from, start, end, depth) {
      from.spend(members.length);
      const values: Value[] = [];
      let at = start;
      for (const member of members) {
        at = from.align(at, member.alignment, end);
        const next = at + (member.size ?? 0);
        values.push(member.read(from, at, next, depth - 1));
        at = next;
      }
      from.zeros(at, end);
      return values;
    },
    write(into, value) {
      const values = listOf(shape.type, members.length, value);
      const start = into.at;
      for (const [i, member] of members.entries()) {
        into.align(member.alignment);
        member.write(into, values[i]);
      }
      into.take(start + shape.size - into.at);
    },
  };
}

/** Where each member of variable size ends, except for one at the end, stands behind all of them, the last first. */
function variableTuple(shape: Shape, members: readonly Codec[]): Codec {
  const last = members.length - 1;
  const count = members.filter((member, i) => member.size === undefined && i < last).length;
  return {
    ...shape,
    read(from, start, end, depth) {
      const width = widthIn(end - start);
      const body = end - count * width;
      if (body < start) notNormal("a tuple is shorter than its offsets");
      if (count > 0 && widthFor(body - start, count) !== width) notNormal("offsets are wider than they need be");
      from.spend(members.length);
      const values: Value[] = [];
      let at = start;
      let offset = end;
      for (const [i, member] of members.entries()) {
        at = from.align(at, member.alignment, body);
        let next = body;
        if (member.size !== undefined) next = at + member.size;
        else if (i < last) {
          offset -= width;
          next = start + from.offset(offset, width);
        }
        if (next < at || next > body) notNormal("a member of a tuple ends outside it");
        values.push(member.read(from, at, next, depth - 1));
        at = next;
      }
      if (at !== body) notNormal("a tuple goes on behind its last member");
      return values;
    },
    write(into, value) {
      const values = listOf(shape.type, members.length, value);
      const start = into.at;
      const ends: number[] = [];
      for (const [i, member] of members.entries()) {
        into.align(member.alignment);
        member.write(into, values[i]);
        if (member.size === undefined && i < last) ends.unshift(into.at - start);
      }
      into.offsets(ends, widthFor(into.at - start, count));
    },
  };
}

function listOf(type: string, count: number, value: Value): readonly Value[] {
  if (!Array.isArray(value) || value.length !== count) notOfType(type, `no list of ${count} values`);
  return value;
}
