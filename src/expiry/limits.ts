import type { RefKind } from "../store/ref-admin.ts";
import type { Space } from "../store/ref-store.ts";

/** What an instance, or a space in an instance, may have. */
export interface Limit {
  /** `undefined`: each instance. */
  readonly instance: string | undefined;
  /** `undefined`: all spaces together, and blobs that nothing names. */
  readonly space: Space | undefined;
  /** Bytes of the blobs that it keeps. */
  readonly size: number | undefined;
  /** Milliseconds since the last use. */
  readonly age: number | undefined;
}

/** What decides what goes, besides the room that there is. */
export interface ExpirySettings {
  /** How long a blob or a ref stays after a use, in milliseconds. */
  readonly lease: number;
  /** Milliseconds since the last use after which refs go; `undefined`: never. */
  readonly maxAge: number | undefined;
  readonly limits: readonly Limit[];
}

export function matches({ instance, space }: Limit, kind: RefKind): boolean {
  return (instance ?? kind.instance) === kind.instance && (space ?? kind.space) === kind.space;
}

/** As it is said in the settings. */
export function showScope({ instance, space }: Pick<Limit, "instance" | "space">): string {
  const parts = [instance === undefined ? [] : [`instance=${instance}`], space === undefined ? [] : [`space=${space}`]];
  return parts.flat().join(",") || "each instance";
}
