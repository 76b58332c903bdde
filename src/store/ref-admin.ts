import type { Ref, RefName, Root, Space } from "./ref-store.ts";

/**
 * What keeps a store in order does this with refs; no door gets it. Nothing here counts as a use. Refs have numbers, `id`: one keeps it when it is
 * overwritten, and once it is gone another one may get it.
 */
export interface RefAdmin {
  /** All refs by their last use, as of some moment of the call. Nothing blocks meanwhile, readers and writers included. */
  order(): Promise<RefOrder>;
  /** What refs keep alive, read while it is iterated; those that have gone are left out. Errors: `corrupt`. */
  rootsOf(ids: Iterable<number>): Iterable<RefRoots>;
  /** Pins a ref, or lets it go; resolves once that is durable, with false where there is none of this name. */
  pin(name: RefName, pinned: boolean): Promise<boolean>;
  /** Refs by instance and space, of each the most recently used first; read while it is iterated. */
  list(filter: RefFilter): Iterable<ListedRef>;
  /** How many refs of which kind there are. Takes microseconds. */
  groups(): RefGroup[];
  size(): RefsSize;
}

/**
 * Refs in the order in which they are to stay: the pinned ones first, then the most recently used first. Ref number `i` of the order has its fields at
 * `i` of each array. What happens to refs as long as the order is open is noted: it has to be closed.
 */
export interface RefOrder {
  readonly length: number;
  /** The first so many are pinned. */
  readonly pinned: number;
  readonly ids: Float64Array;
  /** Milliseconds since 1970. */
  readonly used: Float64Array;
  /** Milliseconds since 1970; infinite: never. */
  readonly expires: Float64Array;
  /** Places in `kinds`. */
  readonly kind: Uint32Array;
  readonly kinds: readonly RefKind[];
  /** The refs that were put, new ones and overwritten ones, and acknowledged since the order was begun, or since the last call. */
  since(): number[];
  /**
   * Removes refs, some hundred in one transaction; resolves once that is durable with those that stayed: the pinned ones whose date has not passed, and those that were asked for
   * or put since the order was begun. From the call on `get` finds none of the others, and such a `get` is no use. Those that are not there any more did
   * not stay. Once the order is closed, all do. Errors: `exhausted` and others of a write; what was not removed by then stays.
   */
  evict(ids: readonly number[]): Promise<number[]>;
  close(): void;
}

export type RefKind = Pick<RefName, "space" | "instance">;

export interface RefRoots extends RefName {
  readonly id: number;
  readonly roots: Iterable<Root>;
  /** Of references: their messages say more than their roots. `undefined` in other spaces. */
  readonly message: Uint8Array | undefined;
}

/** What is left out may be anything. */
export interface RefFilter {
  readonly space?: Space | undefined;
  readonly instance?: string | undefined;
  readonly pinned?: boolean | undefined;
}

export interface ListedRef extends Omit<Ref, "message" | "roots"> {
  readonly id: number;
}

export interface RefGroup extends RefKind {
  readonly refs: number;
  /** How many of them are pinned. */
  readonly pinned: number;
  /** The last use of the one that was not used for longest, in milliseconds since 1970; `undefined` where all are pinned. */
  readonly oldestUse: number | undefined;
}

/** Bytes on the disk, the journal included. `free` ones are in the file, and used again before it grows. */
export interface RefsSize {
  readonly bytes: number;
  readonly free: number;
  /** Those in the file that refs take. */
  readonly taken: number;
}
