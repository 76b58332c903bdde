import { Fetch, Push } from "../../../src/gen/build/bazel/remote/asset/v1/remote_asset_pb.ts";
import {
  ActionCache,
  Capabilities,
  ContentAddressableStorage,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ReferenceStorage } from "../../../src/gen/buildstream/v2/reference_storage_pb.ts";
import {
  ArtifactService,
  Capabilities as BstCapabilities,
  SourceService,
} from "../../../src/gen/buildstream/v2/services_pb.ts";
import { ByteStream } from "../../../src/gen/google/bytestream/bytestream_pb.ts";
import { Health } from "../../../src/gen/grpc/health/v1/health_pb.ts";
import { type Channel, connect } from "../../../src/rpc/client/channel.ts";
import { type Client, client } from "../../../src/rpc/client/typed.ts";

/** One address of a server, over one connection of its own, with the services that a case may call there. */
export interface Endpoint {
  readonly url: string;
  readonly channel: Channel;
  readonly capabilities: Client<typeof Capabilities>;
  readonly cas: Client<typeof ContentAddressableStorage>;
  readonly byteStream: Client<typeof ByteStream>;
  readonly actionCache: Client<typeof ActionCache>;
  readonly fetch: Client<typeof Fetch>;
  readonly push: Client<typeof Push>;
  readonly references: Client<typeof ReferenceStorage>;
  readonly artifacts: Client<typeof ArtifactService>;
  readonly sources: Client<typeof SourceService>;
  readonly bstCapabilities: Client<typeof BstCapabilities>;
  readonly health: Client<typeof Health>;
}

export function openEndpoint(url: string): Endpoint {
  const channel = connect(url);
  return {
    url,
    channel,
    capabilities: client(channel, Capabilities),
    cas: client(channel, ContentAddressableStorage),
    byteStream: client(channel, ByteStream),
    actionCache: client(channel, ActionCache),
    fetch: client(channel, Fetch),
    push: client(channel, Push),
    references: client(channel, ReferenceStorage),
    artifacts: client(channel, ArtifactService),
    sources: client(channel, SourceService),
    bstCapabilities: client(channel, BstCapabilities),
    health: client(channel, Health),
  };
}
