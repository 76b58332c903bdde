import { Sink } from "./sink.ts";
import { notNormal, Source } from "./source.ts";
import { codecOf, maxNesting } from "./type.ts";
import type { Value } from "./value.ts";

export interface ByteOrder {
  /** Of the numbers; offsets are little-endian always. */
  readonly bigEndian?: boolean;
}

export interface DecodeOptions extends ByteOrder {
  /** How deep containers may lie in each other; 128 if it is not given. */
  readonly maxDepth?: number;
}

/**
 * Reads the value of a type of which `bytes` are the whole. Only the one normal form is taken: offsets as narrow as they can be, in order
 * and inside, padding zero, UTF-8, booleans 0 or 1; so no two byte sequences are one value. Bytes in the value are views of `bytes`.
 * Source: the GVariant serialisation specification, section 2.
 * Errors: `invalid`, also for more than a million values in one.
 */
export function decode(type: string, bytes: Uint8Array, options: DecodeOptions = {}): Value {
  const { bigEndian = false, maxDepth = maxNesting } = options;
  const codec = codecOf(type);
  if (codec.size !== undefined && codec.size !== bytes.length) notNormal(`${type} is not ${bytes.length} bytes long`);
  if (codec.depth > maxDepth) notNormal("containers lie too deep in each other");
  return codec.read(new Source(bytes, !bigEndian), 0, bytes.length, maxDepth);
}

/** Writes a value in its one form. Errors: `invalid` for a value that is not of the type. */
export function encode(type: string, value: Value, { bigEndian = false }: ByteOrder = {}): Uint8Array<ArrayBuffer> {
  const sink = new Sink(!bigEndian);
  codecOf(type).write(sink, value);
  return sink.finish();
}
