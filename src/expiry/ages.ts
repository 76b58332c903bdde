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

/** Blobs that no ref reaches stay for a week at least. */
const looseAgeMs = 7 * 24 * 3_600_000;

/**
 * Before when blobs that no ref reaches go from an instance, in seconds since 1970; 0: they go for the room alone. Where refs go by themselves, by their dates
 * (`dated`) or by the limit of a space, some of what they kept alive may be leased still, or left by a crash, and would stay for ever.
 */
export function looseCutoff(instance: string, dated: boolean, settings: ExpirySettings, stamps: Stamps): number {
  const limits = settings.limits.filter(
    (limit) => limit.space !== undefined && (limit.instance ?? instance) === instance,
  );
  if (!dated && limits.length === 0) return 0;
  const age = Math.max(looseAgeMs, ...limits.map((limit) => limit.age ?? 0));
  return Math.max(0, Math.min(stamps.leaseStart, stamps.ageNow - Math.floor(age / 1000)));
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
