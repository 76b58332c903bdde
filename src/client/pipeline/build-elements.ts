import { setTimeout as wait } from "node:timers/promises";
import { type Clock, systemClock } from "../../base/clock.ts";
import { StillageError } from "../../base/errors.ts";
import { untilAborted } from "../../base/until-aborted.ts";
import { Callbacks } from "../callbacks.ts";
import { remoteIdentity } from "../configuration/choose-remotes.ts";
import type { ClientConfiguration } from "../configuration/client-configuration.ts";
import { type LeftRemote, openRemotes } from "../connection/open-remotes.ts";
import type { Reachability } from "../connection/reachability.ts";
import { openLocalCache } from "../local/open-local-cache.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { AnsweringPlaces } from "./answering-places.ts";
import { BstBuilder } from "./bst-builder.ts";
import { type BstConfigurations, writeBstConfigurations } from "./bst-configuration.ts";
import { BstFetcher, fetchedAhead } from "./bst-fetcher.ts";
import { type BstGraph, type BuiltElement, type DependencyKind, keysOfElements, readBstGraph } from "./bst-graph.ts";
import type { BstInstallation } from "./bst-installation.ts";
import { junctionOf } from "./bst-projects.ts";
import { ElementTransfers, type PipelinePlaces } from "./element-transfers.ts";
import { type OnError, type PipelineResult, type PipelineTime, runPipeline } from "./pipeline.ts";
import type { PipelineEvent, QueueName } from "./pipeline-events.ts";
import { PipelineGraph } from "./pipeline-graph.ts";
import { type ProjectServers, remotesOfProjects } from "./project-remotes.ts";
import { isQuick } from "./quick-kinds.ts";
import { SourceServers } from "./source-servers.ts";

export interface BuildRequest {
  /** Its user configuration is the user's own file. */
  readonly bst: BstInstallation;
  readonly configuration: ClientConfiguration;
  readonly reachability: Reachability;
  /** What the project builds by default where there are none. */
  readonly targets: readonly string[];
  /** As the user's configuration says where it is `undefined`. */
  readonly deps: DependencyKind | undefined;
  readonly widths: Readonly<Record<QueueName, number>>;
  readonly retries: number;
  readonly onError: OnError;
  readonly push: boolean;
  /** As the user's configuration says where it is `undefined`. */
  readonly retryFailed: boolean | undefined;
  /** The real ones unless they are given; the clock is that of `reachability`. */
  readonly time?: PipelineTime;
  readonly now?: Clock;
  /** Nothing more is begun; and what runs is ended. */
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
  /** Called once, before the first event. */
  begins(plan: BuildPlan): void;
  events(event: PipelineEvent): void;
  /** What went wrong although work goes on. */
  note(text: string): void;
}

/** What is going to be done. */
export interface BuildPlan {
  readonly targets: readonly string[];
  readonly elements: ReadonlyMap<string, BuiltElement>;
  /** How many are asked for; others are only looked for where they are needed. */
  readonly asked: number;
}

export interface BuildSummary extends PipelineResult {
  /** Paths of the logs of builds that failed now, by element. */
  readonly failedLogs: ReadonlyMap<string, string>;
}

export const realTime: PipelineTime = {
  now: () => performance.now(),
  wait: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
};

/** A build takes minutes, and what runs nothing is for nothing beside that. */
const quickCost = 0.01;

/**
 * Builds elements of a project, after pulling whatever can be pulled, and pushes behind that. What was done is in the local cache and on the servers, so a run that was ended, in whatever way, is
 * gone on with by another one. Errors: as of `readBstGraph`; what `begins`, `events` or `note` throws; failures of elements are outcomes.
 */
export function buildElements(request: BuildRequest): Promise<BuildSummary> {
  const callbacks = new Callbacks();
  return callbacks.during(() =>
    build({
      ...request,
      abort: AbortSignal.any([request.abort, callbacks.signal]),
      begins: callbacks.safe((plan) => request.begins(plan)),
      events: callbacks.safe((event) => request.events(event)),
      note: callbacks.safe((text) => request.note(text)),
    }),
  );
}

async function build(request: BuildRequest): Promise<BuildSummary> {
  const { configuration, stop, abort, time = realTime, now = systemClock } = request;
  if (configuration.generation === "1") {
    throw new StillageError(
      "unsupported",
      "this is a project of BuildStream 1, and builds are driven with BuildStream 2",
      {
        hint: "BuildStream 1 builds by itself; `stillage artifact pull` and `push` work with its caches",
      },
    );
  }
  await using resources = new AsyncDisposableStack();
  const written = await writeBstConfigurations(request.bst.userConfiguration, configuration.cacheDirectory);
  const configurations = resources.use(written);
  if (configurations.settings.nonStrict) {
    request.note("builds are strict here, also of projects that the user's configuration says `strict: false` of");
  }
  const started = AbortSignal.any([stop, abort]);
  const { targets, elements, junctions } = await loadProject(request, configurations, started);
  const graph = new PipelineGraph(elements);
  const asked = graph.askedFor(targets, request.deps ?? configurations.settings.dependencies);
  const servers = remotesOfProjects(configuration, junctions, request.note);
  const local = resources.use(await openLocalCache(configuration.cacheDirectory, configuration.artifactDirectory));
  const retryFailed = request.retryFailed ?? configurations.settings.retryFailed;
  const transfers = new ElementTransfers({
    ...{ local, retryFailed, pullBuildtrees: configurations.settings.pullBuildtrees },
    places: placesOf(request, servers, resources),
    now,
    note: request.note,
  });
  const bst = { ...request.bst, userConfiguration: configurations.building };
  const sources = resources.use(sourceServersOf(request, servers, configurations));
  const fetcher = resources.use(
    new BstFetcher({ bst, width: request.widths.fetch, networkRetries: request.retries, time }),
  );
  const builder = new BstBuilder({
    ...{ bst, retryFailed, networkRetries: request.retries },
    kept: (element) => transfers.kept(element),
  });
  request.begins({ targets, elements: graph.elements, asked: asked.size });
  const { widths, retries, onError, events } = request;
  const result = await runPipeline<BuiltElement>({
    ...{ graph, asked, retries, onError, events, stop, abort, time, random: Math.random },
    widths: { ...widths, fetch: widths.fetch * fetchedAhead },
    pull: async (element, signal) => {
      const outcome = await transfers.pull(element, signal);
      if (outcome.kind === "missing") void sources.settle();
      return outcome;
    },
    fetch: async (element, signal, ending) => {
      await untilAborted(sources.settle(), AbortSignal.any([signal, ending]));
      return fetcher.fetch(element, signal, ending);
    },
    fetches: ({ fetchNeeded, workspaced }) => fetchNeeded && !workspaced,
    build: async (group, report, signal) => {
      await sources.settle();
      await builder.build(group, report, signal);
    },
    push: pushes(request, servers) ? (element, signal) => transfers.push(element, signal) : undefined,
    together: (element) => (isQuick(element) ? "quick" : undefined),
    cost: (element) => (isQuick(element) ? quickCost : 1),
  });
  return { ...result, failedLogs: builder.failedLogs };
}

type ServersByJunction = ReadonlyMap<string, ProjectServers>;

const pushes = ({ push }: BuildRequest, servers: ServersByJunction): boolean =>
  push && [...servers.values()].some(({ remotes }) => remotes.some((remote) => remote.push));

/** BuildStream knows projects by their names: those of one name have the servers of each. */
function sourceServersOf(
  { reachability, abort: signal, note }: BuildRequest,
  servers: ServersByJunction,
  { useSourceCaches: use }: BstConfigurations,
): SourceServers {
  const ofProjects = new Map<string, Map<string, RemoteSpec>>();
  for (const { project, sourceCaches } of servers.values()) {
    if (project === undefined) continue;
    const known = ofProjects.get(project) ?? new Map<string, RemoteSpec>();
    for (const spec of sourceCaches) known.set(remoteIdentity(spec), spec);
    ofProjects.set(project, known);
  }
  const lists = new Map([...ofProjects].map(([project, specs]) => [project, [...specs.values()]]));
  return new SourceServers({ ofProjects: lists, reachability, signal, use, note });
}

async function loadProject(
  { bst, targets }: BuildRequest,
  { loading }: BstConfigurations,
  signal: AbortSignal,
): Promise<BstGraph & { readonly targets: readonly string[] }> {
  const loader = { ...bst, userConfiguration: loading };
  const graph = await readBstGraph(loader, targets, signal);
  const names = new Set(graph.elements.map(({ name }) => name));
  if (targets.length > 0 && targets.every((target) => names.has(target))) {
    return { targets: [...new Set(targets)], ...graph };
  }
  // None, which is what the project builds by default, or patterns.
  const named = await keysOfElements(loader, targets, "none", signal);
  return { targets: named.map(({ name }) => name).filter((name) => names.has(name)), ...graph };
}

/** Opens the servers when they are first wanted, once. */
function placesOf(
  request: BuildRequest,
  servers: ServersByJunction,
  resources: AsyncDisposableStack,
): (element: BuiltElement) => Promise<PipelinePlaces> {
  const { reachability, abort: signal, note } = request;
  let opened: Promise<AnsweringPlaces> | undefined;
  const open = async (): Promise<AnsweringPlaces> => {
    const all = [...servers.values()].flatMap(({ remotes }) => remotes);
    const specs = new Map(all.map((spec) => [remoteIdentity(spec), spec]));
    const gone = ({ spec, error }: LeftRemote): void =>
      note(`${spec.name} has stopped answering, and is left out for a while: ${error.message}`);
    const remotes = resources.use(await openRemotes([...specs.values()], { reachability, signal, gone }));
    for (const { spec, error } of remotes.left) note(`${spec.name} is left out: ${error.message}`);
    for (const { name, shortcomings } of remotes.open) for (const each of shortcomings) note(`${name}: ${each}`);
    return new AnsweringPlaces(remotes.open, reachability);
  };
  return async ({ name }) => {
    opened ??= open();
    return (await opened).of(servers.get(junctionOf(name))?.remotes ?? []);
  };
}
