import type { DescFile } from "@bufbuild/protobuf";
import type { Tenants } from "../cache/tenant.ts";
import type { ResumableUploads } from "../cache/uploads.ts";
import { file_build_bazel_remote_asset_v1_remote_asset as assetFile } from "../gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import { file_build_bazel_remote_execution_v2_remote_execution as executionFile } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { file_buildstream_v2_reference_storage as referenceStorageFile } from "../gen/buildstream/v2/reference_storage_pb.ts";
import { file_buildstream_v2_services as bstServicesFile } from "../gen/buildstream/v2/services_pb.ts";
import { file_google_bytestream_bytestream as byteStreamFile } from "../gen/google/bytestream/bytestream_pb.ts";
import { file_grpc_health_v1_health as healthFile } from "../gen/grpc/health/v1/health_pb.ts";
import { file_grpc_reflection_v1_reflection as reflectionFile } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { file_grpc_reflection_v1alpha_reflection as reflectionAlphaFile } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Service } from "../rpc/service.ts";
import type { Admission } from "./admission.ts";
import { actionCacheService } from "./grpc/action-cache.ts";
import { byteStreamService } from "./grpc/byte-stream.ts";
import { capabilitiesService } from "./grpc/capabilities.ts";
import { casService } from "./grpc/cas.ts";
import { healthService } from "./grpc/health.ts";
import { artifactService, bstCapabilitiesService, sourceService } from "./grpc/message-services.ts";
import { referenceStorageService } from "./grpc/reference-storage.ts";
import { reflectionServices } from "./grpc/reflection.ts";
import { fetchService, pushService } from "./grpc/remote-asset.ts";
import type { Readiness } from "./readiness.ts";
import type { OriginDesk } from "./stock.ts";

/** Which half of a cache a server is: BuildStream's `type:` of a remote. */
export type Part = "all" | "index" | "storage";

export interface ServicesOptions {
  readonly part: Part;
  readonly tenants: Tenants;
  readonly uploads: ResumableUploads;
  readonly admission: Admission;
  readonly readiness: Readiness;
  /** `undefined`: nothing is fetched from elsewhere. */
  readonly origin: OriginDesk | undefined;
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number | undefined;
}

const files: readonly DescFile[] = [
  executionFile,
  byteStreamFile,
  assetFile,
  referenceStorageFile,
  bstServicesFile,
  healthFile,
  reflectionFile,
  reflectionAlphaFile,
];

/** The gRPC services of a server: an index has the assets, a storage the blobs and action results. */
export function servicesOf(options: ServicesOptions): Service[] {
  const { part, tenants, readiness } = options;
  const services = [capabilitiesService(options)];
  if (part !== "index") services.push(casService(options), byteStreamService(options), actionCacheService(tenants));
  if (part !== "storage") {
    services.push(fetchService(tenants, options.origin), pushService(tenants));
    services.push(bstCapabilitiesService(tenants), artifactService(tenants), sourceService(tenants));
  }
  services.push(referenceStorageService(tenants)); // 1.91 asks a storage for its Status
  services.push(healthService(readiness, new Set(services.map((each) => each.name))));
  services.push(
    ...reflectionServices(
      files,
      services.map((each) => each.name),
    ),
  );
  return services;
}
