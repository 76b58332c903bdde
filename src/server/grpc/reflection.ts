import { create, createRegistry, type DescFile, type Registry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { decode } from "../../base/decode.ts";
import {
  ErrorResponseSchema,
  FileDescriptorResponseSchema,
  ListServiceResponseSchema,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { CallStream, Service } from "../../rpc/service.ts";
import { grpcStatus } from "../../rpc/status.ts";

/**
 * grpc.reflection.v1.ServerReflection and v1alpha, whose messages are the same on the wire
 * (grpc/reflection/v1/reflection.proto): `files` hold the services of `served`.
 */
export function reflectionServices(files: readonly DescFile[], served: readonly string[]): Service[] {
  const names = [...served];
  const known = new KnownFiles(files);
  const services = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"].map(
    (name): Service => ({
      name,
      methods: { ServerReflectionInfo: { kind: "stream", handle: (stream) => answerAll(stream, known, names) } },
    }),
  );
  names.push(...services.map((each) => each.name));
  names.sort();
  return services;
}

async function answerAll(stream: CallStream, known: KnownFiles, names: readonly string[]): Promise<void> {
  for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
    const request = decode(ServerReflectionRequestSchema, message);
    const response = create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: answer(request, known, names),
    });
    await stream.send({ parts: [toBinary(ServerReflectionResponseSchema, response)] });
  }
}

type Answer = ServerReflectionResponse["messageResponse"];

function answer({ messageRequest }: ServerReflectionRequest, known: KnownFiles, names: readonly string[]): Answer {
  switch (messageRequest.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: create(ListServiceResponseSchema, { service: names.map((name) => ({ name })) }),
      };
    case "fileByFilename":
      return fileAnswer(known.named(messageRequest.value), messageRequest.value);
    case "fileContainingSymbol":
      return fileAnswer(known.withSymbol(messageRequest.value), messageRequest.value);
    default:
      return failure(grpcStatus.unimplemented, `${messageRequest.case ?? "an empty request"} is not answered here`);
  }
}

/** A file and all that it imports, so that a client needs no further question. */
function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return failure(grpcStatus.notFound, `${JSON.stringify(asked)} is not known here`);
  const fileDescriptorProto = [...withImports([file])].map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
  return { case: "fileDescriptorResponse", value: create(FileDescriptorResponseSchema, { fileDescriptorProto }) };
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: create(ErrorResponseSchema, { errorCode, errorMessage }) };
}

/** Files and what they import, by name and by the symbols in them. */
class KnownFiles {
  private readonly byName: ReadonlyMap<string, DescFile>;
  private readonly registry: Registry;

  constructor(files: readonly DescFile[]) {
    const all = [...withImports(files)];
    this.byName = new Map(all.map((file) => [`${file.name}.proto`, file]));
    this.registry = createRegistry(...all);
  }

  named(name: string): DescFile | undefined {
    return this.byName.get(name);
  }

  /** The file of a message, enum or service, or of a method, field or value of one. */
  withSymbol(symbol: string): DescFile | undefined {
    const parent = symbol.slice(0, Math.max(0, symbol.lastIndexOf(".")));
    return (this.registry.get(symbol) ?? this.registry.get(parent))?.file;
  }
}

function withImports(files: readonly DescFile[], into: Set<DescFile> = new Set()): Set<DescFile> {
  for (const file of files) {
    if (into.has(file)) continue;
    into.add(file);
    withImports(file.dependencies, into);
  }
  return into;
}
