import { setTimeout as delay } from "node:timers/promises";
import { ProxyTracerProvider, SpanStatusCode, type Tracer, type TracerProvider, trace } from "@opentelemetry/api";
import type { Trace } from "../../base/trace.ts";

/** How long the end of the server waits for spans to be sent. */
const flushMs = 2000;

/** Traces by OpenTelemetry, where its operator has loaded an SDK into the process. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Runs work in a span below the current one. */
  readonly trace: Trace;
  /** Lets the SDK send what it has. */
  close(): Promise<void>;
}

/**
 * Looks once, at the start, whether somebody takes traces. `undefined`: nobody does, and nothing is made for them: the API alone would make spans that nobody
 * sees.
 */
export function openTracing(version: string): Tracing | undefined {
  const provider = trace.getTracerProvider();
  if (!hasSdk(provider)) return undefined;
  const tracer = trace.getTracer("stillage", version);
  return { tracer, trace: tracedBy(tracer), close: () => flush(provider) };
}

/** An SDK that brought a copy of the API along has registered a class of that copy. */
function hasSdk(provider: TracerProvider): boolean {
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer("stillage") !== undefined;
}

function tracedBy(tracer: Tracer): Trace {
  return (name, attributes, work) =>
    tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await work();
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
        throw error;
      } finally {
        span.end();
      }
    });
}

/** What providers of SDKs have besides their interface. */
interface Flushing {
  forceFlush?(): Promise<void>;
  getDelegate?(): Flushing;
}

async function flush(provider: TracerProvider & Flushing): Promise<void> {
  const sdk: Flushing = provider.getDelegate?.() ?? provider;
  const timer = new AbortController();
  const late = delay(flushMs, undefined, { signal: timer.signal });
  // What cannot be sent is the SDK's to tell of.
  await Promise.allSettled([Promise.race([late, sdk.forceFlush?.().finally(() => timer.abort())])]);
  timer.abort();
}
