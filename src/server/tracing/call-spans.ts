import {
  type Context,
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
import type { CallObserver } from "../../rpc/observer.ts";
import type { Call, CallStream, Method, Service } from "../../rpc/service.ts";
import { grpcStatus, grpcStatusName } from "../../rpc/status.ts";

/** Statuses that say that the server failed, not what it was asked (semantic conventions for gRPC, "Server"). */
const serverErrors: ReadonlySet<number> = new Set([
  grpcStatus.unknown,
  grpcStatus.deadlineExceeded,
  grpcStatus.unimplemented,
  grpcStatus.internal,
  grpcStatus.unavailable,
  grpcStatus.dataLoss,
]);

const headersOf = {
  keys: (): string[] => [],
  get: (call: Call, name: string): string | undefined => call.header(name),
};

/** A span for each gRPC call, below that of its client where it says so (opentelemetry.io/docs/specs/semconv/rpc/grpc). */
export class CallSpans implements CallObserver {
  private readonly tracer: Tracer;
  private readonly open = new WeakMap<Call, { readonly span: Span; readonly within: Context }>();

  constructor(tracer: Tracer) {
    this.tracer = tracer;
  }

  started(call: Call): void {
    const parent = propagation.extract(ROOT_CONTEXT, call, headersOf);
    const attributes = { "rpc.system.name": "grpc", "rpc.method": cut(call.method), "client.address": call.peer.host };
    const span = this.tracer.startSpan(cut(call.method), { kind: SpanKind.SERVER, attributes }, parent);
    this.open.set(call, { span, within: trace.setSpan(parent, span) });
  }

  finished(call: Call, status: number, message: string, requests: number, responses: number): void {
    const span = this.open.get(call)?.span;
    if (span === undefined) return;
    const name = grpcStatusName(status);
    if (span.isRecording()) {
      span.setAttributes({
        "rpc.response.status_code": name,
        "stillage.instance": cut(call.instance),
        "stillage.subject": cut(call.subject),
        "stillage.request.id": call.id,
        "stillage.request.bytes": requests,
        "stillage.response.bytes": responses,
      });
    }
    if (serverErrors.has(status)) {
      span.setAttribute("error.type", name);
      span.setStatus({ code: SpanStatusCode.ERROR, message: cut(message) });
    }
    span.end();
  }

  /** The same services, whose work is done within the spans of its calls. */
  within(services: readonly Service[]): Service[] {
    return services.map(({ name, methods }) => ({
      name,
      methods: Object.fromEntries(Object.entries(methods).map(([short, method]) => [short, this.method(method)])),
    }));
  }

  private method(method: Method): Method {
    if (method.kind === "unary") {
      return { ...method, handle: (request, call) => this.run(call, () => method.handle(request, call)) };
    }
    return { ...method, handle: (stream: CallStream) => this.run(stream, () => method.handle(stream)) };
  }

  private run<T>(call: Call, work: () => T): T {
    return context.with(this.open.get(call)?.within ?? ROOT_CONTEXT, work);
  }
}
