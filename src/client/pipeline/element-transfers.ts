import type { ArtifactContent } from "../../artifact/artifact-content.ts";
import { contentOfMessage } from "../../artifact/message-content.ts";
import type { Clock } from "../../base/clock.ts";
import { StillageError } from "../../base/errors.ts";
import type { ArtifactQuestion } from "../artifact-index.ts";
import { AwayError } from "../connection/away-error.ts";
import type { LocalCache } from "../local/open-local-cache.ts";
import type { Place } from "../place.ts";
import { copyBudget } from "../transfer/copy-artifact.ts";
import { pullArtifacts } from "../transfer/pull-artifacts.ts";
import { pushArtifacts } from "../transfer/push-artifacts.ts";
import type { ItemOutcome } from "../transfer/transfer-outcome.ts";
import type { TransferOptions } from "../transfer/transfer-queue.ts";
import type { BuiltElement } from "./bst-graph.ts";
import type { PullOutcome } from "./pipeline.ts";

/** What is pushed to. */
export interface PushPlaces {
  readonly to: readonly Place[];
  /** Servers that stopped answering, and until when they are not asked, in milliseconds since 1970. */
  readonly away: readonly { readonly name: string; readonly until: number }[];
}

/** The servers of a run that answer, in their order: looked at anew for each element. */
export interface PipelinePlaces {
  readonly pull: readonly Place[];
  readonly push: PushPlaces;
}

export interface ElementTransfersOptions {
  readonly local: LocalCache;
  /** Those of the element's project. Called when an artifact is not in the local cache, and when one is to be pushed; opens servers once. */
  places(element: BuiltElement): Promise<PipelinePlaces>;
  /** Whether an artifact of a failed build is as good as none. */
  readonly retryFailed: boolean;
  readonly pullBuildtrees: boolean;
  now: Clock;
  /** What went wrong, or was left out, although work goes on: a sentence each. */
  note(text: string): void;
}

/** Pulls and pushes elements one by one, between the local cache and servers that stay open. */
export class ElementTransfers {
  private readonly budget = copyBudget();
  private readonly options: ElementTransfersOptions;

  constructor(options: ElementTransfersOptions) {
    this.options = options;
  }

  /** Errors: what servers failed with, where none had it and not all could be asked; `cancelled`. */
  async pull(element: BuiltElement, signal: AbortSignal): Promise<PullOutcome> {
    const { local, places, retryFailed, pullBuildtrees } = this.options;
    // What is in a workspace is nobody else's: only what was built here counts, as for `bst`.
    const remotes = async (): Promise<readonly Place[]> => (element.workspaced ? [] : (await places(element)).pull);
    const shared = this.shared(signal, pullBuildtrees ? "those-there" : "none");
    const outcome = await oneOutcome(signal, (done) =>
      pullArtifacts([questionOf(element)], { ...shared, done, to: local, remotes }),
    );
    this.noteAll(outcome);
    if (outcome.error !== undefined) throw outcome.error;
    if (outcome.result !== "present" && outcome.result !== "copied") return { kind: "missing" };
    const failed = failureIn(element, await this.content(element, signal));
    if (failed !== undefined && retryFailed) return { kind: "missing" };
    return { kind: outcome.result === "present" ? "present" : "pulled", failedBuild: failed };
  }

  /** To every server that is pushed to. Errors: what one of them failed with, after all had their turn; `unavailable` for one that is away; `cancelled`. */
  async push(element: BuiltElement, signal: AbortSignal): Promise<"pushed" | "present" | "skipped"> {
    const { to, away } = (await this.options.places(element)).push;
    if (to.length + away.length === 0 || isTainted(await this.content(element, signal))) return "skipped";
    const outcome = to.length === 0 ? undefined : await this.pushTo(to, element, signal);
    // One may have gone just now. It is still to be asked, whatever the others say.
    const [first] = (await this.options.places(element)).push.away;
    if (first !== undefined) throw new AwayError(first.name, Math.max(0, first.until - this.options.now()));
    if (outcome === undefined) return "skipped";
    this.noteAll(outcome);
    if (outcome.error !== undefined) throw outcome.error;
    if (outcome.result === "missing") {
      throw new StillageError("not-found", `${outcome.name} is not whole in the local cache`);
    }
    if (outcome.result === "copied") return "pushed";
    return outcome.result === "present" ? "present" : "skipped";
  }

  private pushTo(to: readonly Place[], element: BuiltElement, signal: AbortSignal): Promise<ItemOutcome> {
    const shared = this.shared(signal, "those-there");
    return oneOutcome(signal, (done) =>
      pushArtifacts([questionOf(element)], { ...shared, done, from: this.options.local, to }),
    );
  }

  /** How the build of the local cache's artifact went. */
  async kept(element: BuiltElement): Promise<"built" | "failed" | undefined> {
    const content = await this.content(element, new AbortController().signal);
    if (content === undefined) return undefined;
    return content.build.success === false ? "failed" : "built";
  }

  private async content(element: BuiltElement, signal: AbortSignal): Promise<ArtifactContent | undefined> {
    const found = await this.options.local.index.find(questionOf(element), signal);
    return found?.message && contentOfMessage(found.message, found.content.function);
  }

  /** What is no error: that is told as one. */
  private noteAll({ notes, name, error }: ItemOutcome): void {
    for (const each of notes) {
      if (error === undefined || !each.endsWith(error.message)) this.options.note(`${name}: ${each}`);
    }
  }

  /** One artifact, tried once: whoever schedules tries again, and lets others have the place meanwhile. */
  private shared(signal: AbortSignal, optional: TransferOptions["optional"]): Omit<TransferOptions, "done"> {
    return { width: 1, retries: 0, optional, budget: this.budget, signal };
  }
}

function questionOf({ project, element, key }: BuiltElement): ArtifactQuestion {
  return { project, element, keys: [key], generation: "2.x" };
}

async function oneOutcome(
  signal: AbortSignal,
  run: (done: (outcome: ItemOutcome) => void) => Promise<unknown>,
): Promise<ItemOutcome> {
  let outcome: ItemOutcome | undefined;
  await run((each) => {
    outcome = each;
  });
  if (outcome !== undefined) return outcome;
  signal.throwIfAborted();
  throw new StillageError("internal", "a transfer ended without an outcome");
}

function failureIn(element: BuiltElement, content: ArtifactContent | undefined): StillageError | undefined {
  if (content?.build.success !== false) return undefined;
  const { error } = content.build;
  return new StillageError(
    "failed-precondition",
    `${element.name} has failed to build before: ${error ?? "no reason is told"}`,
    {
      hint: `its log: \`stillage artifact log ${element.project}/${element.element}/${element.key}\`; --retry-failed builds it again`,
    },
  );
}

/** Artifacts of workspaces, and of what was built with them, are not pushed, as by `bst`. */
function isTainted(content: ArtifactContent | undefined): boolean {
  return (
    content !== undefined && (content.build.workspaced || content.dependencies.some(({ workspaced }) => workspaced))
  );
}
