import fc from "fast-check";

/** A change of some bytes; places are counted round and round, so that each fits whatever length. */
export type Mutation = (bytes: Uint8Array) => Uint8Array;

const place = fc.nat({ max: 10_000 });
const short = fc.integer({ min: 1, max: 12 });

const within = (bytes: Uint8Array, at: number): number => (bytes.length === 0 ? 0 : at % bytes.length);

const replaced = (bytes: Uint8Array, from: number, to: number, by: Uint8Array): Uint8Array =>
  Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);

/** Bytes that mean something to a decoder: ends of varints and their overflow, tags, separators. */
const telling = fc.constantFrom(
  Uint8Array.of(0),
  Uint8Array.of(0x7f),
  Uint8Array.of(0x80),
  Uint8Array.of(0xff),
  new Uint8Array(9).fill(0xff),
  new Uint8Array(12).fill(0x80),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
  Uint8Array.of(0x0b, 0x0c),
  Buffer.from("/"),
  Buffer.from("../"),
  Buffer.from("\0"),
  Buffer.from("-1"),
  Buffer.from("é😀"),
  Uint8Array.of(0xed, 0xa0, 0x80),
);

const one: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat({ max: 255 })).map(([at, value]): Mutation => {
    return (bytes) => replaced(bytes, within(bytes, at), within(bytes, at) + 1, Uint8Array.of(value));
  }),
  fc.tuple(place, fc.nat({ max: 7 })).map(([at, bit]): Mutation => {
    return (bytes) => bytes.map((byte, i) => (i === within(bytes, at) ? byte ^ (1 << bit) : byte));
  }),
  fc.tuple(place, short).map(([at, length]): Mutation => {
    return (bytes) => replaced(bytes, within(bytes, at), within(bytes, at) + length, new Uint8Array(0));
  }),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, within(bytes, at)),
  ),
  fc.tuple(place, fc.oneof(telling, fc.uint8Array({ maxLength: 12 }))).map(([at, more]): Mutation => {
    return (bytes) => replaced(bytes, within(bytes, at), within(bytes, at), more);
  }),
  fc.tuple(place, telling).map(([at, other]): Mutation => {
    return (bytes) => replaced(bytes, within(bytes, at), within(bytes, at) + other.length, other);
  }),
  fc.tuple(place, short, short).map(([at, length, times]): Mutation => {
    return (bytes) => {
      const from = within(bytes, at);
      const part = bytes.subarray(from, from + length);
      return replaced(bytes, from, from, Buffer.concat(Array.from({ length: times }, () => part)));
    };
  }),
);

/** Some changes, one after the other. Shrinks to fewer. */
export const mutation: fc.Arbitrary<Mutation> = fc
  .array(one, { minLength: 1, maxLength: 4 })
  .map((changes) => (bytes) => changes.reduce((changed, change) => change(changed), bytes));
