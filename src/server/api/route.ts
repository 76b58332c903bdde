import type { Catalogues } from "../../artifact/catalogues.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import type { HttpRequest, HttpResponse } from "../../http/exchange.ts";
import type { Parameter, ParameterValues } from "./parameter.ts";

/** What a route has to answer with. */
export interface ApiCall {
  readonly request: HttpRequest;
  readonly values: ParameterValues;
  readonly catalogues: Catalogues;
}

/** A route of the API: what serves it, and what its description says. */
export interface Route {
  /** A template of RFC 6570, of `{name}` alone. A value has its slashes percent-encoded; only that of `{element}` may have them as they are. */
  readonly path: string;
  /** One word for programs that are made from the description. */
  readonly operation: string;
  readonly summary: string;
  readonly parameters: readonly Parameter<unknown>[];
  /** The schema of its JSON, or `text`. */
  readonly answer: { readonly schema: string } | "text";
  handle(call: ApiCall): MaybePromise<HttpResponse>;
}

/** A route made ready: what it serves, and the names of the values in its path. */
export interface Matcher {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

export function matcherOf(route: Route): Matcher {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const source = route.path
    .replaceAll(".", "\\.")
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === "element" ? "(.+)" : "([^/]+)"));
  return { route, pattern: new RegExp(`^${source}$`), names };
}
