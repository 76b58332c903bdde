/**
 * Artifact caches of BuildStream, of every generation, from TypeScript and JavaScript: what `stillage` does as a client, as a library. `openClient` is where to begin; docs/LIBRARY.md has
 * examples. Importing it starts nothing.
 */
export type {
  ArtifactContent,
  ArtifactKeys,
  ArtifactPart,
  BuildDependency,
  BuildOutcome,
  LogFile,
  TreeName,
} from "./artifact/artifact-content.ts";
export type { ArtifactReport, ArtifactSize, MissingPart, ReportedArtifact } from "./artifact/artifact-report.ts";
export type { Entry } from "./artifact/directory-entries.ts";
export type { TreeEntry } from "./artifact/tree-listing.ts";
export type { Digest } from "./base/digest.ts";
export { type ErrorCode, type ErrorDetails, type FieldViolation, StillageError } from "./base/errors.ts";
export type {
  ArtifactGlob,
  ArtifactIndex,
  ArtifactQuestion,
  ArtifactRecord,
  IndexedArtifact,
} from "./client/artifact-index.ts";
export type { BlobSink, BlobSource, WholeBlob } from "./client/blob-place.ts";
export type { MetadataChange } from "./client/compare/metadata-changes.ts";
export type { Difference, TreeChange } from "./client/compare/tree-changes.ts";
export type { ClientConfiguration, ClientProject, SetAside } from "./client/configuration/client-configuration.ts";
export type { CheckedPlace, RemoteCheck } from "./client/connection/check-remotes.ts";
export type { LeftRemote } from "./client/connection/open-remotes.ts";
export type { ProtocolName, RemotePlace, RemoteProtocol } from "./client/connection/remote-place.ts";
export type { ArtifactDifference } from "./client/library/artifact-difference.ts";
export type {
  BuildOptions,
  CallOptions,
  FindOptions,
  ListOptions,
  MirrorOptions,
  PullOptions,
  PushOptions,
  TransferCallOptions,
  TransferReport,
} from "./client/library/call-options.ts";
export type { ClientOptions } from "./client/library/client-options.ts";
export type { CheckoutOptions, FoundArtifact, TreeOptions } from "./client/library/found-artifact.ts";
export { openClient } from "./client/library/open-client.ts";
export { type PipelineRequest, runPipeline } from "./client/library/own-pipeline.ts";
export type { PlaceName } from "./client/library/place-name.ts";
export type { StillageClient } from "./client/library/stillage-client.ts";
export type { BstElement, BuiltElement, DependencyKind } from "./client/pipeline/bst-graph.ts";
export type { BuildPlan, BuildSummary } from "./client/pipeline/build-elements.ts";
export type { OnError, PipelineResult, PullOutcome } from "./client/pipeline/pipeline.ts";
export type {
  ElementOutcome,
  JobResult,
  PipelineEvent,
  PushResult,
  QueueName,
} from "./client/pipeline/pipeline-events.ts";
export type { PipelineElement } from "./client/pipeline/pipeline-graph.ts";
export type { BlobPlace, Place } from "./client/place.ts";
export type { RemoteAuth, RemoteConnection, RemoteSpec, RemoteType } from "./client/remote-spec.ts";
export type { ItemOutcome, ItemResult, TransferSummary } from "./client/transfer/transfer-outcome.ts";
export type { TransferState } from "./client/transfer/transfer-progress.ts";
export type { Generation } from "./store/artifact-refs.ts";
