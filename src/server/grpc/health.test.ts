import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { CallStream } from "../../rpc/service.ts";
import { Readiness } from "../readiness.ts";
import { visit } from "./calling.fixture.ts";
import { healthService } from "./health.ts";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;

test("a Watch hears of the server from its start to its stop, and ends then", async () => {
  const readiness = new Readiness();
  const { Watch } = healthService(readiness, new Set()).methods;
  assert.ok(Watch?.kind === "stream");
  const heard: HealthCheckResponse_ServingStatus[] = [];
  const stream: CallStream = {
    ...visit({ push: true }),
    method: "grpc.health.v1.Health/Watch",
    receive: () => toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema)),
    send: ({ parts }) => {
      heard.push(fromBinary(HealthCheckResponseSchema, Buffer.concat(parts)).status);
    },
  };
  const watched = Watch.handle(stream);
  await new Promise(setImmediate);
  readiness.set(true);
  await new Promise(setImmediate);
  assert.deepEqual(heard, [NOT_SERVING, SERVING]);
  readiness.set(false);
  await watched;
  assert.deepEqual(heard, [NOT_SERVING, SERVING, NOT_SERVING]);
});
