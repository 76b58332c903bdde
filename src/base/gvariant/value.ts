/**
 * A GVariant value in JavaScript, by its type: `y n q i u h d` number, `x t` bigint, `b` boolean, `s o g` string, `ay` bytes, `v` a variant,
 * `m…` the value or `undefined`, arrays, tuples and dictionary entries a list. A dictionary is a list of [key, value] in the order in
 * which they are stored: that order counts in checksums and signatures.
 */
export type Value = number | bigint | boolean | string | Uint8Array | Variant | undefined | readonly Value[];

/** A value that brings its type along. */
export interface Variant {
  readonly type: string;
  readonly value: Value;
}

/** An `a{sv}`. */
export type Dictionary = readonly (readonly [key: string, value: Variant])[];

/** The value of a key, if it is there and of this type; of several, the first, as GLib does it. */
export function lookUp(dictionary: Dictionary, key: string, type: string): Value {
  const found = dictionary.find(([name]) => name === key)?.[1];
  return found?.type === type ? found.value : undefined;
}
