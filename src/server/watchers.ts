import type { HttpHandler } from "../http/exchange.ts";
import type { CallObserver } from "../rpc/observer.ts";
import type { Service } from "../rpc/service.ts";
import type { AccessLog } from "./access-log.ts";
import { allOf } from "./call-observers.ts";
import { observed } from "./http-observer.ts";
import type { Traffic } from "./metrics/traffic.ts";
import { CallSpans } from "./tracing/call-spans.ts";
import { HttpSpans } from "./tracing/http-spans.ts";
import type { Tracing } from "./tracing/tracing.ts";

export interface WatchersOptions {
  readonly traffic: Traffic;
  readonly accessLog: AccessLog | undefined;
  readonly tracing: Tracing | undefined;
}

/** Those who hear of every call and request: metrics, and where they are wanted the access log and traces. */
export class Watchers {
  readonly observer: CallObserver;
  private readonly options: WatchersOptions;
  private readonly callSpans: CallSpans | undefined;

  constructor(options: WatchersOptions) {
    const { traffic, accessLog, tracing } = options;
    this.options = options;
    this.callSpans = tracing && new CallSpans(tracing.tracer);
    const others = [accessLog, this.callSpans].filter((each) => each !== undefined);
    this.observer = allOf([traffic.calls, ...others]);
  }

  /** The same services, whose calls are traced. */
  services(services: readonly Service[]): readonly Service[] {
    return this.callSpans?.within(services) ?? services;
  }

  /** The same handler, whose requests are heard of. */
  http(handler: HttpHandler): HttpHandler {
    const { traffic, accessLog, tracing } = this.options;
    const spans = tracing && new HttpSpans(tracing.tracer);
    const observers = [traffic.requests, accessLog, spans].filter((each) => each !== undefined);
    return observed(spans?.around(handler) ?? handler, observers);
  }
}
