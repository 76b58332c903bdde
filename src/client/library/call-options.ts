import type { DependencyKind } from "../pipeline/bst-graph.ts";
import type { BuildPlan } from "../pipeline/build-elements.ts";
import type { OnError } from "../pipeline/pipeline.ts";
import type { PipelineEvent, QueueName } from "../pipeline/pipeline-events.ts";
import type { ListedBy } from "../reading/list-artifacts.ts";
import type { ItemOutcome, TransferSummary } from "../transfer/transfer-outcome.ts";
import type { TransferState } from "../transfer/transfer-progress.ts";
import type { PlaceName } from "./place-name.ts";

/** A call that a signal can stop. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Where artifacts are looked for. */
export interface FindOptions extends CallOptions {
  /** Only there; it stays open as long as the client. Without it: in the local cache, and then on the configured servers. */
  readonly in?: PlaceName | undefined;
  /** The instance name, where that is the directory of a server's store that has several. */
  readonly instance?: string | undefined;
}

/** What is listed; what is left out is not looked at. */
export interface ListOptions extends FindOptions, Partial<ListedBy> {}

export interface TransferCallOptions extends CallOptions {
  /** Called for each artifact that has come to its end, as soon as it has. */
  readonly onItem?: ((outcome: ItemOutcome) => void) | undefined;
  /** Called four times a second while it runs, and once at its end. */
  readonly onProgress?: ((state: TransferState) => void) | undefined;
}

export interface PullOptions extends TransferCallOptions {
  /** Asked in their order. Without it: the configured servers. */
  readonly from?: PlaceName | readonly PlaceName[] | undefined;
  /** The local cache unless it is given. */
  readonly to?: PlaceName | undefined;
  /** Pulls build trees, sources and build roots as well, where anybody has them. */
  readonly buildTrees?: boolean | undefined;
}

export interface PushOptions extends TransferCallOptions {
  /** The local cache unless it is given. */
  readonly from?: PlaceName | undefined;
  /** All of them. Without it: the configured servers that are for pushing. */
  readonly to?: PlaceName | readonly PlaceName[] | undefined;
}

export interface MirrorOptions extends TransferCallOptions {
  /** What is copied; all that is there unless they are given. */
  readonly names?: readonly string[] | undefined;
}

/** What a transfer came to. */
export interface TransferReport extends Omit<TransferSummary, "error"> {
  /** The outcomes of what failed or is missing, the first thousand. */
  readonly unfinished: readonly ItemOutcome[];
}

export interface BuildOptions extends CallOptions {
  /** Which dependencies have to be there as well; as BuildStream is configured, or `run`, unless it is given. */
  readonly dependencies?: DependencyKind | undefined;
  /** How many elements are pulled, have their sources fetched, are built and are pushed at a time; as configured unless they are given. */
  readonly widths?: Partial<Readonly<Record<QueueName, number>>> | undefined;
  /** What to do after a failed build; as configured unless it is given. */
  readonly onError?: OnError | undefined;
  /** Whether what is there is pushed behind the builds. True unless it is given. */
  readonly push?: boolean | undefined;
  /** Builds again what has failed before; as configured unless it is given. */
  readonly retryFailed?: boolean | undefined;
  /** Begins nothing more, and lets what runs come to its end. `signal` ends what runs as well. */
  readonly stop?: AbortSignal | undefined;
  /** Called once, before the first event. */
  readonly onPlan?: ((plan: BuildPlan) => void) | undefined;
  readonly onEvent?: ((event: PipelineEvent) => void) | undefined;
  /** What went wrong although work goes on: a sentence. */
  readonly onNote?: ((text: string) => void) | undefined;
}
