import { flag, int, type MessageOf, MessageType, message, messages, text } from "../base/message.ts";

/** One with an empty hash stands for none. */
export const digestMessage = new MessageType("build.bazel.remote.execution.v2.Digest", {
  hash: text(1),
  sizeBytes: int(2),
});
export type DigestMessage = MessageOf<typeof digestMessage>;

const dependency = new MessageType("buildstream.v2.Artifact.Dependency", {
  projectName: text(1),
  elementName: text(2),
  cacheKey: text(3),
  wasWorkspaced: flag(4),
});

const logFile = new MessageType("buildstream.v2.Artifact.LogFile", {
  name: text(1),
  digest: message(2, digestMessage),
});

const sandboxState = new MessageType("buildstream.v2.Artifact.SandboxState", {
  subsandboxDigests: messages(3, digestMessage),
});

/** The form of artifacts from 1.91 on (artifact.proto). */
export const artifactMessage = new MessageType("buildstream.v2.Artifact", {
  version: int(1),
  buildSuccess: flag(2),
  buildError: text(3),
  buildErrorDetails: text(4),
  strongKey: text(5),
  weakKey: text(6),
  wasWorkspaced: flag(7),
  files: message(8, digestMessage),
  buildDeps: messages(9, dependency),
  publicData: message(10, digestMessage),
  logs: messages(11, logFile),
  buildtree: message(12, digestMessage),
  sources: message(13, digestMessage),
  lowDiversityMeta: message(14, digestMessage),
  highDiversityMeta: message(15, digestMessage),
  strictKey: text(16),
  buildroot: message(17, digestMessage),
  buildsandbox: message(18, sandboxState),
});
export type ArtifactMessage = MessageOf<typeof artifactMessage>;

/** Fields of an Artifact or Source and the messages in it: five for each dependency. Who sends more has memory and time taken by what is nothing. */
export const maxArtifactFields = 50_000;

export const sourceMessage = new MessageType("buildstream.v2.Source", { files: message(2, digestMessage) });
