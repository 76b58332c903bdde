import { type DigestFunction, functionOfHexLength } from "../base/digest-function.ts";

/** What a path of the HTTP cache names. */
export interface CachePath {
  readonly instance: string;
  readonly kind: "ac" | "cas";
  readonly function: DigestFunction;
  readonly hash: string;
}

/** `/[INSTANCE/]ac/HASH` or `/[INSTANCE/]cas/HASH`, as Bazel has it; `undefined` for any other path. The hash's length tells the function: BLAKE3 has no path. */
export function parseCachePath(path: string): CachePath | undefined {
  const [, prefix = "", kind, hash = ""] = /^\/(?:(.{1,1000})\/)?(ac|cas)\/([0-9a-f]{40,128})$/.exec(path) ?? [];
  const fn = functionOfHexLength(hash.length);
  const instance = decoded(prefix);
  if ((kind !== "ac" && kind !== "cas") || fn === undefined || instance === undefined) return undefined;
  return { instance, kind, function: fn, hash };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
