import { StillageError } from "../errors.ts";
import type { Sink } from "./sink.ts";
import type { Source } from "./source.ts";
import type { Value } from "./value.ts";

/** Reads and writes the values of one type. */
export interface Codec {
  /** The type string. */
  readonly type: string;
  readonly alignment: number;
  /** Bytes of every value of the type; `undefined` where they differ. */
  readonly size: number | undefined;
  /** How deep containers lie in each other, 0 for none. Variants begin anew, inside. */
  readonly depth: number;
  /**
   * The value that takes the bytes from `start` to `end`, of which `start` is aligned; for a type of fixed size, they are as many
   * as that. The caller has seen that `depth`, in containers, is enough for all but what variants bring. Errors: `invalid`.
   */
  read(from: Source, start: number, end: number, depth: number): Value;
  /** Writes at an aligned place. Errors: `invalid` for a value that is not of the type. */
  write(into: Sink, value: Value): void;
}

/** Says that a value cannot be written as the type that it is to have. */
export function notOfType(type: string, why: string): never {
  throw new StillageError("invalid", `a value cannot be written as GVariant ${type}: ${why}`);
}
