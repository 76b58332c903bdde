import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
} from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { client } from "../../../src/rpc/client/typed.ts";
import type { Case, Server } from "../case.ts";
import { expectEqual, expectOk, expectTrue } from "../support/expect.ts";
import type { Init } from "../support/init.ts";

const services = [
  "build.bazel.remote.execution.v2.ContentAddressableStorage",
  "build.bazel.remote.execution.v2.ActionCache",
  "build.bazel.remote.execution.v2.Capabilities",
  "google.bytestream.ByteStream",
  "build.bazel.remote.asset.v1.Fetch",
  "build.bazel.remote.asset.v1.Push",
  "grpc.health.v1.Health",
];

type Question = Init<typeof ServerReflectionRequestSchema>["messageRequest"];

/** Asks one question and gives the answer. */
async function ask({ channel }: Server, version: "v1" | "v1alpha", messageRequest: NonNullable<Question>) {
  const { serverReflectionInfo } = client(channel, version === "v1" ? ServerReflection : ServerReflectionAlpha);
  const call = serverReflectionInfo();
  await call.send({ messageRequest });
  call.halfClose();
  const answer = await expectOk(call.receive(), "ServerReflectionInfo");
  if (answer === undefined) throw new Error("ServerReflectionInfo ended without an answer");
  return answer.messageResponse;
}

const casesOf = (version: "v1" | "v1alpha"): Case[] => {
  const source = `grpc/reflection/${version}/reflection.proto`;
  return [
    {
      id: `reflection-${version}/list`,
      title: `${version}: the services are listed`,
      source: `${source}; grpcurl list`,
      async run(server) {
        const answer = await ask(server, version, { case: "listServices", value: "" });
        const names = answer.case === "listServicesResponse" ? answer.value.service.map(({ name }) => name) : [];
        for (const service of services) expectTrue(names.includes(service), `${service} is not listed`);
      },
    },
    {
      id: `reflection-${version}/files`,
      title: `${version}: a service leads to its file, and to all that it imports`,
      source: `${source}; grpcurl describe`,
      async run(server) {
        for (const value of services) {
          const answer = await ask(server, version, { case: "fileContainingSymbol", value });
          const wanted = new Set(filesOf(answer).flatMap(({ dependency }) => dependency));
          const known = new Set(filesOf(answer).map(({ name }) => name));
          for (const name of wanted) {
            if (known.has(name)) continue;
            const file = filesOf(await ask(server, version, { case: "fileByFilename", value: name }));
            expectTrue(file.length > 0, `${name} is not served`);
            for (const { name: found, dependency } of file) {
              known.add(found);
              for (const more of dependency) wanted.add(more);
            }
          }
          expectTrue(known.size > 0, `no file holds ${value}`);
        }
      },
    },
    {
      id: `reflection-${version}/unknown`,
      title: `${version}: what is unknown is an answer, NOT_FOUND, and no error`,
      source,
      async run(server) {
        for (const question of ["fileContainingSymbol", "fileByFilename"] as const) {
          const answer = await ask(server, version, { case: question, value: "no.such.Thing" });
          expectEqual(answer.case, "errorResponse", "answer");
          expectEqual(answer.case === "errorResponse" ? answer.value.errorCode : 0, 5, "error_code");
        }
      },
    },
  ];
};

function filesOf(answer: Awaited<ReturnType<typeof ask>>) {
  if (answer.case !== "fileDescriptorResponse") throw new Error(`expected files, got ${answer.case}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

export const reflectionCases: readonly Case[] = [...casesOf("v1"), ...casesOf("v1alpha")];
