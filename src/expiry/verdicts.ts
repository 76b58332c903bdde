import type { RefOrder } from "../store/ref-admin.ts";

/** Why a ref goes: its own date has passed, it was not used for too long, its place has too much, or all places together have. */
export type Rule = "expires" | "age" | "size" | "quota";

export interface Reason {
  readonly rule: Rule;
  /** For `age` and `size`: whose, as the settings say it; "" where it is everybody's. */
  readonly scope: string;
}

/** The verdict of refs that stay. */
const stays = 0;

/** Reasons of one sweep, with the limits: more than a person sets. */
export const maxReasons = 255;

/** Which refs go, a byte for each. */
export class Verdicts {
  readonly reasons: Reason[] = [];
  /** How many go. */
  count = 0;
  private readonly verdicts: Uint8Array;

  constructor({ length }: Pick<RefOrder, "length">) {
    this.verdicts = new Uint8Array(length);
  }

  /** A reason, to be given with `evict`. */
  reason(rule: Rule, scope = ""): number {
    const known = this.reasons.findIndex((each) => each.rule === rule && each.scope === scope);
    return known >= 0 ? known + 1 : this.reasons.push({ rule, scope });
  }

  evict(place: number, reason: number): void {
    if (!this.goes(place)) this.count++;
    this.verdicts[place] = reason;
  }

  goes(place: number): boolean {
    return this.verdicts[place] !== stays;
  }

  /** The number that `reason` gave; 0 for a ref that stays. */
  reasonOf(place: number): number {
    return this.verdicts[place] as number;
  }

  /** Why a ref goes; `undefined` for one that stays. */
  of(place: number): Reason | undefined {
    return this.reasons[(this.verdicts[place] as number) - 1];
  }
}
