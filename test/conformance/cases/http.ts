import type { Case } from "../case.ts";
import { expectEqual, expectTrue } from "../support/expect.ts";
import { type HttpVersion, httpGet } from "../support/http.ts";

const source = "Kubernetes, Prometheus and browsers ask over plain HTTP, on the port of gRPC";

const casesOf = (version: HttpVersion): Case[] => {
  const prefix = version === "HTTP/2" ? "http2" : "http1";
  return [
    {
      id: `${prefix}/probes`,
      title: `${version}: /healthz and /readyz say 200`,
      source,
      async run({ url }) {
        for (const path of ["/healthz", "/readyz"]) {
          expectEqual((await httpGet(url, path, version)).status, 200, `status of ${path}`);
        }
      },
    },
    {
      id: `${prefix}/metrics`,
      title: `${version}: /metrics is in Prometheus' text format`,
      source,
      async run({ url }) {
        const { status, type, body } = await httpGet(url, "/metrics", version);
        expectEqual(status, 200, "status of /metrics");
        expectTrue(type.startsWith("text/plain"), `content-type of /metrics: ${type}`);
        const lines = body.split("\n");
        expectTrue(
          lines.some((line) => line.startsWith("# TYPE ")),
          "no # TYPE line",
        );
        const sample = /^(#.*|[a-zA-Z_:][\w:]*(\{.*\})? [-+]?([\d.eE+-]+|Inf|NaN))?$/i;
        expectEqual(
          lines.find((line) => !sample.test(line)),
          undefined,
          "a line that is none of the format",
        );
      },
    },
    {
      id: `${prefix}/status`,
      title: `${version}: /status is JSON`,
      source,
      async run({ url }) {
        const { status, type, body } = await httpGet(url, "/status", version);
        expectEqual(status, 200, "status of /status");
        expectTrue(type.startsWith("application/json"), `content-type of /status: ${type}`);
        expectEqual(typeof JSON.parse(body), "object", "type of /status");
      },
    },
    {
      id: `${prefix}/unknown`,
      title: `${version}: an unknown path is 404`,
      source,
      async run({ url }) {
        expectEqual((await httpGet(url, "/no/such/page", version)).status, 404, "status of /no/such/page");
      },
    },
  ];
};

export const httpCases: readonly Case[] = [...casesOf("HTTP/1.1"), ...casesOf("HTTP/2")];
