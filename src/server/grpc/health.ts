import { create, toBinary } from "@bufbuild/protobuf";
import { decode } from "../../base/decode.ts";
import { StillageError } from "../../base/errors.ts";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../gen/grpc/health/v1/health_pb.ts";
import type { CallStream, Reply, Service } from "../../rpc/service.ts";
import type { Readiness } from "../readiness.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

const encode = (status: HealthCheckResponse_ServingStatus): Reply => ({
  parts: [toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }))],
});

const name = "grpc.health.v1.Health";

/** Whether a method tells how a server is: it does so however full the server is. */
export function isHealthCheck(method: string): boolean {
  return method === `${name}/Check`;
}

/** grpc.health.v1.Health (grpc/health/v1/health.proto). `served` names the services; the empty name is the whole server. */
export function healthService(readiness: Readiness, served: ReadonlySet<string>): Service {
  const statusOf = (service: string): HealthCheckResponse_ServingStatus | undefined => {
    if (service !== "" && !served.has(service)) return undefined;
    return readiness.ready ? SERVING : NOT_SERVING;
  };
  return {
    name,
    methods: {
      Check: {
        kind: "unary",
        handle: (request) => {
          const { service } = decode(HealthCheckRequestSchema, request);
          const status = statusOf(service);
          if (status === undefined) throw new StillageError("not-found", `no service ${JSON.stringify(service)} here`);
          return encode(status);
        },
      },
      Watch: { kind: "stream", oneRequest: true, handle: (stream) => watch(stream, readiness, statusOf) },
    },
  };
}

async function watch(
  stream: CallStream,
  readiness: Readiness,
  statusOf: (service: string) => HealthCheckResponse_ServingStatus | undefined,
): Promise<void> {
  const request = await stream.receive();
  if (request === undefined) throw new StillageError("invalid", "a Watch without a message");
  const { service } = decode(HealthCheckRequestSchema, request);
  for (let served = false; ; ) {
    const { ready } = readiness;
    await stream.send(encode(statusOf(service) ?? SERVICE_UNKNOWN));
    // The server stops and waits for its calls to end: a watcher who asks again hears more from the next one.
    if (served && !ready) return;
    served = ready;
    await readiness.change(stream.signal);
  }
}
