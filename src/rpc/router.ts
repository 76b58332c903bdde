import type { Method, Service } from "./service.ts";

/** A method under its full name. */
export class Route {
  /** `package.Service/Method`. */
  readonly name: string;
  readonly method: Method;
  readonly maxRequestBytes: number;
  /** The longest response so far, and no less than the method says. */
  largestReply: number;

  constructor(name: string, method: Method, maxRequestBytes: number) {
    this.name = name;
    this.method = method;
    this.maxRequestBytes = maxRequestBytes;
    this.largestReply = (method.kind === "unary" ? method.maxReplyBytes : undefined) ?? 0;
  }
}

/** Every method that is served, by the `:path` of its calls. */
export function routesOf(services: readonly Service[], maxRequestBytes: number): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const service of services) {
    for (const [short, method] of Object.entries(service.methods)) {
      const name = `${service.name}/${short}`;
      routes.set(`/${name}`, new Route(name, method, method.maxRequestBytes ?? maxRequestBytes));
    }
  }
  return routes;
}
