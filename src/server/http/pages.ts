import type { MaybePromise } from "../../base/maybe-promise.ts";
import type { HttpHandler, HttpResponse } from "../../http/exchange.ts";
import { text } from "../http-status.ts";
import type { Readiness } from "../readiness.ts";
import { requireRight } from "../rights.ts";

/** What `/status` tells, in plain values. */
export type StatusReport = Readonly<Record<string, unknown>>;

export interface PagesOptions {
  readonly readiness: Readiness;
  /** The metrics in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly status: () => MaybePromise<StatusReport>;
  /** What else is served: paths, for who asks for one that is not. */
  readonly others: readonly string[];
}

/** What is answered however full the server is. */
export const openPaths = {
  forEveryone: new Set(["/healthz", "/readyz"]),
  /** They tell more than whether the server is well. */
  forOperators: new Set(["/metrics", "/status"]),
} as const;

/** The pages for operators and their monitoring: `/healthz`, `/readyz`, `/metrics`, `/status`. */
export function pages({ readiness, metrics, status, others }: PagesOptions): HttpHandler {
  const routes: Readonly<Record<string, () => MaybePromise<HttpResponse>>> = {
    "/healthz": () => text(200, "ok\n"),
    "/readyz": () => (readiness.ready ? text(200, "ready\n") : text(503, "not ready\n")),
    "/metrics": async () => ({
      status: 200,
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
      body: Buffer.from(await metrics()),
    }),
    "/status": async () => ({
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "no-store" },
      body: Buffer.from(`${JSON.stringify(await status(), undefined, 2)}\n`),
    }),
  };
  const known = [...others, ...Object.keys(routes)];
  const unknown = `no such page; there are ${known.slice(0, -1).join(", ")} and ${known.at(-1)}\n`;
  return (request) => {
    const { method, path } = request;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return text(404, unknown);
    request.route = path;
    if (openPaths.forOperators.has(path)) requireRight(request, "", "admin");
    if (method === "GET" || method === "HEAD") return route();
    return text(405, "this page can be read only\n", { allow: "GET, HEAD" });
  };
}
