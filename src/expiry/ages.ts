import type { RefKind } from "../store/ref-admin.ts";
import { type ExpirySettings, matches, showScope } from "./limits.ts";
import type { Stamps } from "./stamps.ts";

/** An age beyond which things go. */
export interface AgeCutoff {
  /** What was used before goes; seconds since 1970. Never within the lease. */
  readonly before: number;
  /** Whose age it is; "" for everybody's. */
  readonly scope: string;
}

/** The strictest age for a kind of refs; `undefined` where there is none. */
export function ageOfKind(kind: RefKind, settings: ExpirySettings, stamps: Stamps): AgeCutoff | undefined {
  const limits = settings.limits.filter((limit) => matches(limit, kind));
  return strictest(
    [...limits.map(({ age, ...limit }) => ({ age, scope: showScope(limit) })), forAll(settings)],
    stamps,
  );
}

/** The strictest age for the blobs of an instance, those without any ref included; `undefined` where there is none. */
export function ageOfInstance(instance: string, settings: ExpirySettings, stamps: Stamps): AgeCutoff | undefined {
  const whole = settings.limits.filter(
    (limit) => limit.space === undefined && (limit.instance ?? instance) === instance,
  );
  return strictest([...whole.map(({ age, ...limit }) => ({ age, scope: showScope(limit) })), forAll(settings)], stamps);
}

interface Age {
  /** Milliseconds. */
  readonly age: number | undefined;
  readonly scope: string;
}

const forAll = ({ maxAge }: ExpirySettings): Age => ({ age: maxAge, scope: "" });

function strictest(ages: readonly Age[], { ageNow, leaseStart }: Stamps): AgeCutoff | undefined {
  let least: { age: number; scope: string } | undefined;
  for (const { age, scope } of ages)
    if (age !== undefined && (least === undefined || age < least.age)) least = { age, scope };
  return least && { before: Math.min(leaseStart, ageNow - Math.floor(least.age / 1000)), scope: least.scope };
}
