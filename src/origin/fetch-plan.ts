import { type DigestFunction, sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import type { AssetQuery } from "../cache/asset-index.ts";
import type { AssetKind, Qualifier } from "../cache/asset-name.ts";
import type { Tenant } from "../cache/tenant.ts";
import { type FetchQualifiers, readQualifiers } from "./fetch-qualifiers.ts";
import { isWebUri, type OriginUrl, parseOriginUrl } from "./origin-url.ts";

/** One fetch, understood. */
export interface FetchPlan {
  readonly tenant: Tenant;
  readonly query: AssetQuery;
  /** The function by which the answer is to be named. */
  readonly function: DigestFunction;
  readonly qualifiers: FetchQualifiers;
  /** Those of its URIs that can be fetched, with their places in the request. */
  readonly urls: readonly { readonly uri: string; readonly url: OriginUrl; readonly index: number }[];
}

/** `undefined` where none of the URIs is the web's: what the qualifiers mean is for the pushers to know then. Errors: `invalid`. */
export function planFetch(tenant: Tenant, query: AssetQuery): FetchPlan | undefined {
  if (!query.uris.some(isWebUri)) return undefined;
  const qualifiers = readQualifiers(query.kind, query.uris, query.qualifiers);
  const urls = query.uris.flatMap((uri, index) => (isWebUri(uri) ? [{ uri, url: parseOriginUrl(uri), index }] : []));
  return { tenant, query, function: query.function ?? sha256, qualifiers, urls };
}

/** The same for what is only looked up: who asks in other words than are fetched by may find what was pushed under them. */
export function planLookup(tenant: Tenant, query: AssetQuery): FetchPlan | undefined {
  try {
    return planFetch(tenant, query);
  } catch (error) {
    if (error instanceof StillageError && error.code === "invalid") return undefined;
    throw error;
  }
}

/**
 * The qualifiers under which what is fetched has its name; `undefined` where it has none. An archive is the same whichever of its directories
 * is wanted. What has a digest by another function than most ask for stands beside that, not in its place.
 */
export function namesOf(kind: AssetKind, plan: FetchPlan, fn = plan.function): readonly Qualifier[] | undefined {
  const { identity } = plan.qualifiers;
  if (identity === undefined) return undefined;
  const own = kind === "directory" ? identity : identity.filter(({ name }) => name !== "directory");
  return fn === sha256 ? own : [...own, { name: "digest_function", value: fn.name }];
}

/** What two fetches have in common that one download serves. */
export function keyOfDownload(plan: FetchPlan): string {
  const { tenant, function: fn, qualifiers, urls } = plan;
  const sent = urls.map(({ uri, index }) => [uri, [...(qualifiers.headers[index] ?? [])]]);
  return JSON.stringify([tenant.name, fn.name, qualifiers.integrity, namesOf("blob", plan), sent]);
}
