import { bad, type Check, scalar } from "../config/check.ts";
import { mapping } from "../config/mapping.ts";
import { duration, size } from "../config/quantity.ts";

/** Bounds of what one push over ssh may bring: nobody who may publish should be able to fill the disk, or hold the repository for ever. */
export interface ReceiveLimits {
  /** Files and other objects that are new here. */
  readonly objects: number;
  /** Bytes of all that is fetched. */
  readonly size: number;
  /** Bytes of one file, as it comes. */
  readonly objectSize: number;
  /** How long it may take, in milliseconds. */
  readonly timeMs: number;
  /** Bytes of the disk that stay free. */
  readonly freeSpace: number;
}

/** A large image of an operating system is some 300,000 files and 20 GB. What is on its way takes half a kilobyte of memory for each object. */
export const defaultReceiveLimits: ReceiveLimits = {
  objects: 500_000,
  size: 100_000_000_000,
  objectSize: 20_000_000_000,
  timeMs: 6 * 3_600_000,
  freeSpace: 500_000_000,
};

const count = scalar("a number from 1 to 999999999", (text) =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined,
);

const fields = mapping<File>({
  objects: { check: count, absent: defaultReceiveLimits.objects },
  size: { check: size(1), absent: defaultReceiveLimits.size },
  "object-size": { check: size(1), absent: defaultReceiveLimits.objectSize },
  time: { check: duration(7 * 86_400_000, 1000), absent: defaultReceiveLimits.timeMs },
  "free-space": { check: size(0), absent: defaultReceiveLimits.freeSpace },
});

interface File {
  readonly objects: number;
  readonly size: number;
  readonly "object-size": number;
  readonly time: number;
  readonly "free-space": number;
}

/** What a repository's settings have under `receive`. */
export const receiveLimits: Check<ReceiveLimits> = (given, path, report) => {
  const value = fields(given, path, report);
  if (value === bad) return bad;
  const { objects, size: bytes, "object-size": objectSize, time: timeMs, "free-space": freeSpace } = value;
  return { objects, size: bytes, objectSize, timeMs, freeSpace };
};
