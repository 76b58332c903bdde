import { bad, type Check, type Finding } from "./check.ts";

/** What a check makes of a value, or everything that it reports. */
export function checked<T>(check: Check<T>, given: unknown): { value: T } | { findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const value = check(given, [], (finding) => findings.push(finding));
  return value === bad ? { findings } : { value };
}

/** The messages about a value; empty where it is good. */
export function messages<T>(check: Check<T>, given: unknown): string[] {
  const outcome = checked(check, given);
  return "findings" in outcome ? outcome.findings.map(({ message }) => message) : [];
}
