import { enums, flag, int, MessageType, message, text } from "../../base/message.ts";

/** A request of which nothing but the instance name is set, the first field of all that a server is asked. */
export const instanceRequest = new MessageType("buildstream.v2.StatusRequest", { instanceName: text(1) });

const updates = new MessageType("build.bazel.remote.execution.v2.ActionCacheUpdateCapabilities", {
  updateEnabled: flag(1),
});

const cacheCapabilities = new MessageType("build.bazel.remote.execution.v2.CacheCapabilities", {
  digestFunctions: enums(1),
  actionCacheUpdateCapabilities: message(2, updates),
  maxBatchTotalSizeBytes: int(4),
  maxCasBlobSizeBytes: int(8),
});

export const serverCapabilities = new MessageType("build.bazel.remote.execution.v2.ServerCapabilities", {
  cacheCapabilities: message(1, cacheCapabilities),
});

export const statusResponse = new MessageType("buildstream.v2.StatusResponse", { allowUpdates: flag(1) });

const artifactCapabilities = new MessageType("buildstream.v2.ArtifactCapabilities", { allowUpdates: flag(1) });

/** What BuildStream 1.91 to 1.93 asks for. */
export const bstCapabilities = new MessageType("buildstream.v2.ServerCapabilities", {
  artifactCapabilities: message(1, artifactCapabilities),
});
