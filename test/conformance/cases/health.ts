import { HealthCheckResponse_ServingStatus } from "../../../src/gen/grpc/health/v1/health_pb.ts";
import type { Case } from "../case.ts";
import { expectEqual, expectOk, expectStatus } from "../support/expect.ts";

const source = "grpc/health/v1/health.proto";
const { SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

export const healthCases: readonly Case[] = [
  {
    id: "health/check",
    title: "the server as a whole, and each service, is SERVING",
    source,
    async run({ health }) {
      for (const service of [
        "",
        "build.bazel.remote.execution.v2.ContentAddressableStorage",
        "build.bazel.remote.asset.v1.Fetch",
      ]) {
        expectEqual((await expectOk(health.check({ service }), `Check of "${service}"`)).status, SERVING, "status");
      }
    },
  },
  {
    id: "health/unknown",
    title: "an unknown service is NOT_FOUND",
    source,
    async run({ health }) {
      await expectStatus(health.check({ service: "no.such.Service" }), "notFound", "Check");
    },
  },
  {
    id: "health/watch",
    title: "Watch says the state at once and goes on; SERVICE_UNKNOWN for an unknown service",
    source,
    async run({ health }) {
      for (const [service, status] of [
        ["", SERVING],
        ["no.such.Service", SERVICE_UNKNOWN],
      ] as const) {
        const call = health.watch();
        await call.send({ service });
        call.halfClose();
        expectEqual((await expectOk(call.receive(), "Watch"))?.status, status, `status of "${service}"`);
        call.cancel();
      }
    },
  },
];
