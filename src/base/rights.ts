/** What someone may do in an instance. */
export type Right = "pull" | "push" | "release" | "admin";

/** A set of rights: bits of `rightBit`. */
export type RightSet = number;

export const rightNames = ["pull", "push", "release", "admin"] as const satisfies readonly Right[];

const rightBit: Readonly<Record<Right, RightSet>> = { pull: 1, push: 2, release: 4, admin: 8 };

/** Whoever pushes asks first what is there, and whoever releases reads what he releases; who runs the cache may do everything. */
const implied: Readonly<Record<Right, RightSet>> = { pull: 1, push: 1 | 2, release: 1 | 4, admin: 1 | 2 | 4 | 8 };

export const noRights: RightSet = 0;

export function rightsOf(names: readonly Right[]): RightSet {
  return names.reduce((set, name) => set | implied[name], noRights);
}

export function hasRight(set: RightSet, right: Right): boolean {
  return (set & rightBit[right]) !== 0;
}

/** What of `set` is left where nothing may be written. */
export function readingOnly(set: RightSet): RightSet {
  return set & ~(rightBit.push | rightBit.release);
}
