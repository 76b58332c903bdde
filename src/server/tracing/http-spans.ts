import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { cut } from "../../base/cut.ts";
import type { HttpHandler, HttpRequest } from "../../http/exchange.ts";
import type { HttpObserver } from "../http-observer.ts";

/** Methods that a span may be named after. */
const known: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE"]);

const headersOf = {
  keys: (): string[] => [],
  get: ({ headers }: HttpRequest, name: string): string | undefined => headers[name],
};

/** A span for each HTTP request (opentelemetry.io/docs/specs/semconv/http/http-spans). */
export class HttpSpans implements HttpObserver {
  private readonly tracer: Tracer;
  private readonly open = new WeakMap<HttpRequest, Span>();

  constructor(tracer: Tracer) {
    this.tracer = tracer;
  }

  /** Answers within the span of the request, which ends when this has been told that it was answered. */
  around(handler: HttpHandler): HttpHandler {
    return (request) => {
      const { path, peer, headers } = request;
      const parent = propagation.extract(ROOT_CONTEXT, request, headersOf);
      const attributes = {
        "http.request.method": methodOf(request),
        "url.path": cut(path),
        "url.scheme": peer.tls ? "https" : "http",
        "client.address": peer.host,
        ...(headers["user-agent"] === undefined ? {} : { "user_agent.original": cut(headers["user-agent"]) }),
      };
      const span = this.tracer.startSpan(nameOf(request), { kind: SpanKind.SERVER, attributes }, parent);
      this.open.set(request, span);
      return context.with(trace.setSpan(parent, span), () => handler(request));
    };
  }

  answered(request: HttpRequest, status: number, responseBytes: number): void {
    const span = this.open.get(request);
    if (span === undefined) return;
    const { id, route, instance, received } = request;
    if (span.isRecording()) {
      span.setAttributes({
        "http.response.status_code": status,
        "stillage.instance": cut(instance),
        "stillage.request.id": id,
        "stillage.request.bytes": received,
        "stillage.response.bytes": responseBytes,
      });
      if (route !== "") span.setAttribute("http.route", route).updateName(`${nameOf(request)} ${route}`);
    }
    if (status >= 500) span.setAttribute("error.type", String(status)).setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }
}

function methodOf({ method }: HttpRequest): string {
  return known.has(method) ? method : "_OTHER";
}

function nameOf({ method }: HttpRequest): string {
  return known.has(method) ? method : "HTTP";
}
