import assert from "node:assert/strict";
import { test } from "node:test";
import { type Attributes, INVALID_SPAN_CONTEXT, type Tracer, trace } from "@opentelemetry/api";
import type { HttpRequest } from "../../http/exchange.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { visit } from "../grpc/calling.fixture.ts";
import { CallSpans } from "./call-spans.ts";
import { HttpSpans } from "./http-spans.ts";

/** All that spans are told, in one place. */
function tracerInto(told: Attributes): Tracer {
  const span = Object.assign(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), { isRecording: () => true });
  span.setAttributes = (attributes) => Object.assign(told, attributes) && span;
  const startSpan: Tracer["startSpan"] = (_, options) => span.setAttributes(options?.attributes ?? {});
  return { startSpan, startActiveSpan: () => assert.fail("nobody asks for it") };
}

const long = "x".repeat(1_000_000);

test("spans have what clients made up in part, where it is long", () => {
  const told: Attributes = {};
  const calls = new CallSpans(tracerInto(told));
  const call = { ...visit({ push: true }), instance: long, subject: long, method: "a.B/C", header: () => undefined };
  calls.started(call);
  calls.finished(call, grpcStatus.ok, "", 0, 0);
  assert.equal(told["rpc.method"], "a.B/C");
  const requests = new HttpSpans(tracerInto(told));
  const request = { method: "GET", path: long, instance: long, route: "", headers: { "user-agent": long } };
  const answered = { ...request, peer: call.peer } as unknown as HttpRequest;
  void requests.around(() => new Promise(() => {}))(answered);
  requests.answered(answered, 200, 0);
  for (const name of ["stillage.instance", "stillage.subject", "url.path", "user_agent.original"]) {
    assert.equal(told[name], `${"x".repeat(500)}…`, name);
  }
});
