import type { Catalogues } from "../../artifact/catalogues.ts";
import { asStillageError, StillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import { describeApi } from "../api/openapi.ts";
import { ParameterError, ParameterValues } from "../api/parameter.ts";
import { json, problem, problemOf } from "../api/problem.ts";
import { type Matcher, matcherOf, type Route } from "../api/route.ts";
import { permittedCatalogues } from "../permitted-catalogues.ts";
import { routes } from "./api-routes.ts";

const prefix = "/api/v1/";

export interface ApiOptions {
  readonly catalogues: Catalogues;
  /** What the description says the version is. */
  readonly version: string;
  readonly log: Log;
}

/** The JSON API under `/api/v1/` (docs/API.md). Other paths are `next`'s. */
export function api({ catalogues, version, log }: ApiOptions, next: HttpHandler): HttpHandler {
  const description = describeApi(routes, version);
  const ownDescription: Route = {
    path: `${prefix}openapi.json`,
    operation: "describeApi",
    summary: "The description of this API",
    parameters: [],
    answer: "text",
    handle: () => json(200, description),
  };
  const matchers = [...routes, ownDescription].map(matcherOf);
  return async (request) => {
    if (!request.path.startsWith(prefix)) return next(request);
    try {
      return await answer(request, matchers, catalogues);
    } catch (error) {
      if (request.signal.aborted) throw error;
      const known = asStillageError(error);
      if (known.code === "internal")
        log.error({ request: request.id, path: request.path, err: known.cause ?? known }, "a request failed");
      return problemOf(known, request.id);
    }
  };
}

async function answer(
  request: HttpRequest,
  matchers: readonly Matcher[],
  catalogues: Catalogues,
): Promise<HttpResponse> {
  const { method, path, query } = request;
  for (const { route, pattern, names } of matchers) {
    const match = pattern.exec(path);
    if (match === null) continue;
    request.route = route.path;
    if (method !== "GET" && method !== "HEAD") {
      return problem(405, "what is here can be read only", request.id, {}, { allow: "GET, HEAD" });
    }
    const inPath = Object.fromEntries(names.map((name, i) => [name, decoded(name, match[i + 1] ?? "")]));
    return route.handle({
      request,
      values: new ParameterValues(route.parameters, inPath, query),
      catalogues: permittedCatalogues(catalogues, request),
    });
  }
  throw new StillageError("not-found", "there is nothing at this path", {
    hint: `${prefix}openapi.json says what there is`,
  });
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ParameterError(name, `"${name}" in the path is not percent-encoded UTF-8`);
  }
}
