// Loaded into a server by NODE_OPTIONS, as an operator loads his SDK. Spans go to the file SPAN_FILE, one in a line.
import { appendFileSync } from "node:fs";
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from "@opentelemetry/sdk-trace-node";

const file = process.env.SPAN_FILE ?? "";

const exporter: SpanExporter = {
  export(spans, done) {
    for (const span of spans) {
      const { name, kind, attributes, status, parentSpanContext } = span;
      const { traceId, spanId } = span.spanContext();
      const parent = parentSpanContext?.spanId;
      appendFileSync(file, `${JSON.stringify({ name, kind, traceId, spanId, parent, attributes, status })}\n`);
    }
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};

// Sends so seldom that what is in the file at the end was sent because the server has asked for it.
new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 1_000_000, maxExportBatchSize: 2048 })],
}).register();
