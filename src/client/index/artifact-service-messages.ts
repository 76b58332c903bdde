import { bytes, MessageType, text } from "../../base/message.ts";

export const getArtifactRequest = new MessageType("buildstream.v2.GetArtifactRequest", {
  instanceName: text(1),
  cacheKey: text(2),
});

/** With the artifact's message as it is, unknown fields and all: its keys are those of its bytes. */
export const updateArtifactRequest = new MessageType("buildstream.v2.UpdateArtifactRequest", {
  instanceName: text(1),
  cacheKey: text(2),
  artifact: bytes(3),
});
