import type { Json } from "./manifest.ts";

/** Parameters of a query that open doors. */
const secretParameter = /token|secret|passw|credential|signature|api[-_]?key|^(?:key|auth|sig)$/i;

/**
 * A text as it may be published: from an address what lets somebody in is left out. With `http` and the like all of the user part may be a token; with `ssh` and `git` it is an account,
 * and belongs to the address.
 */
export function publicAddress(text: string): string {
  const [whole, scheme = "", authority = "", path = "", query, fragment = ""] =
    /^([A-Za-z][A-Za-z0-9+.-]*:\/\/)([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(text) ?? [];
  if (whole === undefined) return text;
  const at = authority.lastIndexOf("@");
  const account = authority.slice(0, Math.max(at, 0)).replace(/:.*$/s, "");
  const named = /ssh|^git:/i.test(scheme) && account !== "" ? `${account}@` : "";
  const kept = query?.split("&").filter((each) => !secretParameter.test(each.replace(/=.*$/s, "")));
  const asked = kept === undefined || (kept.length === 0 && query !== "") ? "" : `?${kept.join("&")}`;
  return `${scheme}${named}${authority.slice(at + 1)}${path}${asked}${fragment}`;
}

/** The same with every text in a value. */
export function publicValue(value: Json): Json {
  if (typeof value === "string") return publicAddress(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(publicValue);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, publicValue(each as Json)]));
}
