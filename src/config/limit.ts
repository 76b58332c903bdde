import { bad, type Check, type Path, quote, type Report, scalar } from "./check.ts";
import { instanceName } from "./instance-name.ts";
import { mapping } from "./mapping.ts";
import { didYouMean } from "./nearest.ts";
import { duration, showDuration, showSize, size } from "./quantity.ts";

/** The kinds of names that a limit may be for. */
const spaces = ["action", "asset", "reference", "ostree", "release"] as const;

/** What an instance, or the names of one kind in it, may have. At least one of size and age is there. */
export interface LimitConfig {
  /** `undefined`: each instance by itself. */
  readonly instance: string | undefined;
  /** `undefined`: everything in the instance. */
  readonly space: (typeof spaces)[number] | undefined;
  readonly size: number | undefined;
  /** Milliseconds. */
  readonly age: number | undefined;
}

/** Longer than anybody keeps a cache. */
export const maxAgeMs = 36_500 * 86_400_000;

const space = scalar(`one of ${spaces.join(", ")}`, (text) => spaces.find((each) => each === text));

const fromMapping: Check<LimitConfig> = mapping<LimitConfig>({
  instance: { check: instanceName, absent: undefined },
  space: { check: space, absent: undefined },
  size: { check: size(1), absent: undefined },
  age: { check: duration(maxAgeMs), absent: undefined },
});

const keys: readonly (keyof LimitConfig)[] = ["instance", "space", "size", "age"];

/** A mapping, or a line: `instance=NAME,space=action,size=10GiB,age=30d`. */
export const limit: Check<LimitConfig> = (given, path, report) => {
  const entry = typeof given === "string" ? fromLine(given, path, report) : given;
  const value = entry === bad ? bad : fromMapping(entry, path, report);
  if (value === bad || value.size !== undefined || value.age !== undefined) return value;
  report({ path, message: `${quote(given)} limits nothing: it has neither size nor age` });
  return bad;
};

/** What no two limits of a list may share. */
export function scopeOf({ instance, space }: LimitConfig): string {
  const parts = [instance === undefined ? [] : [`instance=${instance}`], space === undefined ? [] : [`space=${space}`]];
  return parts.flat().join(",") || "each instance";
}

/** As a file would say it. */
export function showLimit({ instance, space, size, age }: LimitConfig): object {
  return {
    ...(instance === undefined ? {} : { instance }),
    ...(space === undefined ? {} : { space }),
    ...(size === undefined ? {} : { size: showSize(size) }),
    ...(age === undefined ? {} : { age: showDuration(age) }),
  };
}

function fromLine(line: string, path: Path, report: Report): Record<string, string> | typeof bad {
  const entry: Record<string, string> = {};
  let fine = true;
  const refuse = (message: string): void => {
    report({ path, message: `${message} in ${quote(line)}` });
    fine = false;
  };
  for (const part of line.split(",")) {
    const [, word = "", value = ""] = /^([^=]*)=(.*)$/s.exec(part) ?? [undefined, part];
    const key = keys.find((each) => each === word);
    if (key === undefined) refuse(`there is no key ${quote(word)}${didYouMean(word, keys)}`);
    else if (Object.hasOwn(entry, key)) refuse(`${key} is there twice`);
    else if (value === "" && key !== "instance") refuse(`${key} has no value`);
    else entry[key] = value;
  }
  return fine ? entry : bad;
}
