import { type Codec, notOfType } from "./codec.ts";
import { notNormal } from "./source.ts";
import type { Value } from "./value.ts";

type Read = (view: DataView, at: number, littleEndian: boolean) => number | bigint;
type Write = (view: DataView, at: number, value: never, littleEndian: boolean) => void;

function whole(type: string, size: number, min: number, max: number, get: Read, set: Write): Codec {
  return number(type, size, get, set, (value): value is number => {
    return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
  });
}

function long(type: string, min: bigint, max: bigint, get: Read, set: Write): Codec {
  return number(type, 8, get, set, (value): value is bigint => {
    return typeof value === "bigint" && value >= min && value <= max;
  });
}

function number(type: string, size: number, get: Read, set: Write, fits: (value: Value) => boolean): Codec {
  return {
    ...{ type, size, alignment: size, depth: 0 },
    read: ({ view, littleEndian }, start) => get(view, start, littleEndian),
    write(into, value) {
      if (!fits(value)) notOfType(type, `${typeof value} ${String(value)}`);
      const at = into.take(size);
      set(into.view, at, value as never, into.littleEndian);
    },
  };
}

const boolean: Codec = {
  ...{ type: "b", size: 1, alignment: 1, depth: 0 },
  read({ bytes }, start) {
    const byte = bytes[start] as number;
    if (byte > 1) notNormal("a boolean is neither 0 nor 1");
    return byte === 1;
  },
  write(into, value) {
    if (typeof value !== "boolean") notOfType("b", typeof value);
    const at = into.take(1);
    into.bytes[at] = value ? 1 : 0;
  },
};

const int32: [Read, Write] = [(v, at, le) => v.getInt32(at, le), (v, at, n, le) => v.setInt32(at, n, le)];

export const numberCodecs: readonly Codec[] = [
  boolean,
  whole(
    "y",
    1,
    0,
    0xff,
    (v, at) => v.getUint8(at),
    (v, at, n) => v.setUint8(at, n),
  ),
  whole(
    "n",
    2,
    -0x8000,
    0x7fff,
    (v, at, le) => v.getInt16(at, le),
    (v, at, n, le) => v.setInt16(at, n, le),
  ),
  whole(
    "q",
    2,
    0,
    0xffff,
    (v, at, le) => v.getUint16(at, le),
    (v, at, n, le) => v.setUint16(at, n, le),
  ),
  whole("i", 4, -0x80000000, 0x7fffffff, ...int32),
  whole("h", 4, -0x80000000, 0x7fffffff, ...int32),
  whole(
    "u",
    4,
    0,
    0xffffffff,
    (v, at, le) => v.getUint32(at, le),
    (v, at, n, le) => v.setUint32(at, n, le),
  ),
  long(
    "x",
    -(1n << 63n),
    (1n << 63n) - 1n,
    (v, at, le) => v.getBigInt64(at, le),
    (v, at, n, le) => v.setBigInt64(at, n, le),
  ),
  long(
    "t",
    0n,
    (1n << 64n) - 1n,
    (v, at, le) => v.getBigUint64(at, le),
    (v, at, n, le) => v.setBigUint64(at, n, le),
  ),
  number(
    "d",
    8,
    (v, at, le) => v.getFloat64(at, le),
    (v, at, n, le) => v.setFloat64(at, n, le),
    (value) => typeof value === "number",
  ),
];
