import { systemClock } from "../../base/clock.ts";
import { StillageError } from "../../base/errors.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import type { ClientConfiguration } from "../configuration/client-configuration.ts";
import type { RemoteCheck } from "../connection/check-remotes.ts";
import { openReachability, unreachablePath } from "../connection/reachability.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import { artifactMeant, artifactsMeant, type Meant } from "../meant-artifacts.ts";
import { localName } from "../named-place.ts";
import type { BuiltElement } from "../pipeline/bst-graph.ts";
import type { BuildSummary } from "../pipeline/build-elements.ts";
import type { Place } from "../place.ts";
import { allMeantIn, type SearchedPlace } from "../reading/place-search.ts";
import { removingPlace } from "../removing-place.ts";
import type { TransferSummary } from "../transfer/transfer-outcome.ts";
import { type ArtifactDifference, differenceOf } from "./artifact-difference.ts";
import { type BstCall, bstForBuilds, elementQuestions } from "./bst-elements.ts";
import type {
  BuildOptions,
  CallOptions,
  FindOptions,
  ListOptions,
  MirrorOptions,
  PullOptions,
  PushOptions,
  TransferCallOptions,
  TransferReport,
} from "./call-options.ts";
import { stoppable, stoppableItems } from "./cancellation.ts";
import { type ClientOptions, configurationOf } from "./client-options.ts";
import { ClientPlaces, unlessAborted } from "./client-places.ts";
import { FoundArtifact, type TreeOptions } from "./found-artifact.ts";
import type { TransferContext } from "./named-transfers.ts";
import type { PlaceName } from "./place-name.ts";
import { transferCall } from "./transfer-call.ts";

/**
 * Artifact caches, with the configuration that BuildStream's users have: the local cache, and servers of every generation. A place is named as on the command line: `local`, the name or the
 * URL of a server, a file that ends in `.tar`, a directory; or it is a `Place` that `openPlace` gave.
 *
 * Names of artifacts are `PROJECT/ELEMENT/KEY`, of which the key may be short, and `PROJECT/ELEMENT`; `*` and `?` stand for any text and any character; and in a project an element's file
 * (`app.bst`), of which the installed `bst` is asked.
 *
 * All failures are a `StillageError` with a `code`, but for what a function of yours throws that a call tells things to: that stops the call, and is its error. A call whose signal fires rejects with `cancelled`; what has arrived stays, and is not moved again. Nothing is opened before it is
 * wanted; `close`, or `await using`, closes it all.
 */
export class StillageClient implements AsyncDisposable {
  readonly configuration: ClientConfiguration;
  private readonly places: ClientPlaces;
  private readonly bst: BstCall;
  private readonly environment: Readonly<Record<string, string | undefined>>;

  /** @internal Made by `openClient`. */
  constructor(options: ClientOptions) {
    this.configuration = configurationOf(options);
    this.environment = options.environment ?? process.env;
    const remembers = options.remembersUnreachable ?? true;
    this.places = new ClientPlaces({
      configuration: this.configuration,
      reachability: remembers ? openReachability(unreachablePath(this.environment), systemClock) : undefined,
      left: (remote) => options.onRemoteLeft?.(remote),
    });
    this.bst = {
      program: options.bst ?? "bst",
      userConfiguration: options.buildstreamConfig,
      options: Object.entries(options.projectOptions ?? {}),
    };
  }

  /** The configured servers that can be used, in their order, opened. Those that cannot are told to `onRemoteLeft`. They are the client's to close. */
  remotes({ signal }: CallOptions = {}): Promise<readonly RemotePlace[]> {
    return this.stoppable(signal, "asking the servers", (all) => this.places.remotes(this.configuration.remotes, all));
  }

  /** Asks all configured servers what they speak and allow, those as well that did not answer lately; nothing is changed anywhere. */
  check({ signal }: CallOptions = {}): Promise<RemoteCheck[]> {
    return this.stoppable(signal, "checking the servers", async (all) => {
      const { checkRemotes } = await import("../connection/check-remotes.ts");
      const { reachability } = this.places;
      return checkRemotes(this.configuration.remotes, { reachability, signal: all, now: systemClock() });
    });
  }

  /**
   * Opens a place, for the caller to close (`await using`): that is when a tar file is written, unless its `save` was called. `mode` is `read` unless it is given. Errors: `invalid` for what is no place; those of the
   * server, the tar file or the store.
   */
  openPlace(
    name: string,
    { mode = "read", instance, signal }: CallOptions & { mode?: "read" | "write"; instance?: string } = {},
  ): Promise<Place> {
    return this.stoppable(signal, `opening ${name}`, (all) => this.places.open(name, { mode, instance, signal: all }));
  }

  /**
   * What one place has, the local cache unless it is given; the newest first where it knows when they came. Errors: `unsupported` for a server that cannot list what it has; those of
   * the place.
   */
  list(options: ListOptions = {}): AsyncGenerator<IndexedArtifact, void> {
    const signal = this.places.signal(options.signal);
    return stoppableItems(signal, "listing artifacts", () => this.listed(options, signal));
  }

  /** The one artifact that a name means. Errors: `not-found` for none, with names that are near, and for several; those of the places where all of them fail. */
  find(name: string, options: FindOptions = {}): Promise<FoundArtifact> {
    return this.stoppable(options.signal, `looking for ${name}`, async (signal) => {
      const search = await this.places.search(options.in, signal, options.instance);
      const ofElement = this.ofElement();
      return this.found(await artifactMeant(search.places(), name, { signal, ofElement }), options);
    });
  }

  /** All that a name means, in the first place that has any. At least one. Errors: as of `find`. */
  findAll(name: string, options: FindOptions = {}): Promise<FoundArtifact[]> {
    return this.stoppable(options.signal, `looking for ${name}`, async (signal) => {
      const search = await this.places.search(options.in, signal, options.instance);
      const ofElement = this.ofElement();
      const meant = await artifactsMeant(search.places(), name, { signal, ofElement });
      return meant.map((each) => this.found(each, options));
    });
  }

  /** What differs between two artifacts, wherever they are: from the first to the second. */
  diff(from: FoundArtifact, to: FoundArtifact, { tree = "files", signal }: TreeOptions = {}): ArtifactDifference {
    return differenceOf(from, to, { tree, signal: this.places.signal(signal) });
  }

  /**
   * Pulls artifacts, each from the first place that has it whole. One that fails or is nowhere is an outcome and keeps no other from anything; where no server can be used, all that
   * would have to be asked for have failed with `unavailable`, and where none is configured with `failed-precondition`. Errors: those of opening the places that are named; `cancelled`.
   */
  pull(names: readonly string[], options: PullOptions = {}): Promise<TransferReport> {
    const { from, to = localName, buildTrees = false } = options;
    return this.transfer("the pull", options, async (context) => {
      const { pullNamed } = await import("./named-transfers.ts");
      const optional = buildTrees ? "those-there" : "none";
      return pullNamed(names, { from: listOf(from), to, optional }, context);
    });
  }

  /** Pushes artifacts to all servers that are for it. Outcomes and errors as of `pull`, but that it rejects where there is no server to push to. */
  push(names: readonly string[], options: PushOptions = {}): Promise<TransferReport> {
    const { from = localName, to } = options;
    return this.transfer("the push", options, async (context) => {
      const { pushNamed } = await import("./named-transfers.ts");
      return pushNamed(names, { from, to: listOf(to) }, context);
    });
  }

  /** Copies what one place has and another lacks. What is there already is passed over, so that a mirror that was stopped goes on where it was. Outcomes and errors as of `pull`. */
  mirror(from: PlaceName, to: PlaceName, options: MirrorOptions = {}): Promise<TransferReport> {
    return this.transfer("the mirror", options, async (context) => {
      const { mirrorNamed } = await import("./named-transfers.ts");
      return mirrorNamed(options.names, { from, to }, context);
    });
  }

  /**
   * Removes all names of artifacts from one place, the local cache unless it is given, and gives what has gone. What was in them stays until BuildStream makes room. Errors: as of `find`, and
   * `unsupported` for what is neither a local cache nor a tar file.
   */
  remove(names: readonly string[], options: FindOptions = {}): Promise<IndexedArtifact[]> {
    return this.stoppable(options.signal, "removing artifacts", async (signal) => {
      await using own = new AsyncDisposableStack();
      const at = options.in ?? localName;
      const open = async (name: string) => own.use(await this.places.open(name, { mode: "write", signal }));
      const place = typeof at !== "string" ? at : at === localName ? await this.places.local() : await open(at);
      const removing = removingPlace(place);
      const meant = await allMeantIn(place, names, { signal, ofElement: this.ofElement() });
      for (const artifact of meant) await removing.remove(artifact);
      return meant;
    });
  }

  /**
   * Elements of the project with their dependencies and the keys of their artifacts, as `bst show` has them: what a pipeline takes. Errors: `failed-precondition` with what `bst` said, or
   * where there is no project; `not-found` where there is no `bst`.
   */
  elements(targets: readonly string[], { signal }: CallOptions = {}): Promise<BuiltElement[]> {
    return this.stoppable(signal, "reading the project", async (all) => {
      const bst = bstForBuilds(this.configuration, this.bst, this.environment);
      const { readBstGraph } = await import("../pipeline/bst-graph.ts");
      const { elements } = await readBstGraph({ ...bst, userConfiguration: this.bst.userConfiguration }, targets, all);
      return [...elements];
    });
  }

  /**
   * Builds elements with the installed BuildStream 2: pulled where any server has them, built as soon as all is there that they need, pushed behind that. No targets: what the project
   * builds by default. Failures of elements are outcomes, as is being stopped. Errors: as of `elements`; `unsupported` for a project of BuildStream 1.
   */
  async build(targets: readonly string[], options: BuildOptions = {}): Promise<BuildSummary> {
    const { buildElements } = await import("../pipeline/build-elements.ts");
    const { configuration } = this;
    const { networkRetries, onError, fetchers, builders, pushers } = configuration;
    const abort = this.places.signal(options.signal);
    return buildElements({
      ...{ configuration, targets, deps: options.dependencies, retryFailed: options.retryFailed, abort },
      bst: bstForBuilds(configuration, this.bst, this.environment),
      reachability: this.places.reachability,
      widths: { pull: fetchers, fetch: fetchers, build: builders, push: pushers, ...options.widths },
      retries: networkRetries,
      onError: options.onError ?? onError,
      push: options.push ?? true,
      stop: options.stop ?? abort,
      begins: (plan) => options.onPlan?.(plan),
      events: (event) => options.onEvent?.(event),
      note: (text) => options.onNote?.(text),
    });
  }

  /** Closes all that was opened, and stops what still runs. */
  close(): Promise<void> {
    return this.places[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async *listed(options: ListOptions, signal: AbortSignal): AsyncGenerator<IndexedArtifact, void> {
    const { project, element, key, search, sort = "newest" } = options;
    const opening = this.places.toRead(options.in ?? localName, options.instance);
    const { name, index } = await unlessAborted(opening, signal);
    if (index === undefined) throw new StillageError("unsupported", `${name} has blobs, and no names of artifacts`);
    const { listArtifacts } = await import("../reading/list-artifacts.ts");
    yield* listArtifacts(index, { project, element, key, search, sort }, signal);
  }

  private found({ artifact, place }: Meant<SearchedPlace>, options: FindOptions): FoundArtifact {
    const { places } = this;
    return new FoundArtifact(artifact, place.name, {
      open: async (signal) => (await places.search(options.in, signal, options.instance)).open(artifact, place),
      signal: (own) => places.signal(own),
    });
  }

  private ofElement() {
    const ask = elementQuestions(this.configuration, this.bst);
    if (ask === undefined) return undefined;
    return async (element: string, signal: AbortSignal) => {
      const [question] = await ask([element], signal);
      if (question !== undefined) return question;
      throw new StillageError("not-found", `\`bst show\` says nothing of ${element}`);
    };
  }

  private transfer(
    doing: string,
    options: TransferCallOptions,
    work: (context: TransferContext) => Promise<TransferSummary>,
  ): Promise<TransferReport> {
    const context = { places: this.places, ofElements: elementQuestions(this.configuration, this.bst) };
    return transferCall(doing, context, options, work);
  }

  private stoppable<T>(
    own: AbortSignal | undefined,
    doing: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const signal = this.places.signal(own);
    return stoppable(signal, doing, () => work(signal));
  }
}

function listOf(names: PlaceName | readonly PlaceName[] | undefined): readonly PlaceName[] | undefined {
  if (names === undefined) return undefined;
  return Array.isArray(names) ? names : [names as PlaceName];
}
