import { StillageError } from "../base/errors.ts";

/** Characters of a ref: a path, of which Linux takes 4,096 bytes; and the name of a file, of which it takes 255. */
const maxRef = 1_024;
const maxSegment = 255;

const segment = /^[A-Za-z0-9_][-._A-Za-z0-9]*$/;

/** Whether `name` can be a ref: segments of letters, digits and `-._`, which begin with a letter, digit or `_`, with `/` between them. */
export function isRefName(name: string): boolean {
  if (name.length > maxRef) return false;
  return name.split("/").every((part) => part.length <= maxSegment && segment.test(part));
}

/** Errors: `invalid`. */
export function parseRefName(name: string): string {
  if (isRefName(name)) return name;
  throw new StillageError("invalid", `${JSON.stringify(name.slice(0, 200))} cannot be the name of an OSTree ref`, {
    hint: 'segments of letters, digits, "-", "." and "_" that begin with a letter, a digit or "_", joined by "/"',
  });
}

/** Whether both can be refs of one repository: where `a/b` is a file, `a` is its directory. */
export function refsCollide(one: string, other: string): boolean {
  return one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
