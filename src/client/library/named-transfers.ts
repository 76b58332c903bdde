import { asStillageError, StillageError } from "../../base/errors.ts";
import type { ArtifactQuestion } from "../artifact-index.ts";
import { localName } from "../named-place.ts";
import type { Place } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { copyBudget } from "../transfer/copy-artifact.ts";
import { type QuestionSources, questionsMeant } from "../transfer/questions-meant.ts";
import { type ItemOutcome, isPassing, nothingDone, type TransferSummary } from "../transfer/transfer-outcome.ts";
import type { TransferProgress } from "../transfer/transfer-progress.ts";
import type { TransferOptions } from "../transfer/transfer-queue.ts";
import type { ClientPlaces } from "./client-places.ts";
import { tellingNear } from "./near-missing.ts";
import type { PlaceName } from "./place-name.ts";
import { type SavingOptions, saveAfter } from "./saved-places.ts";

/** What every transfer of a client is done with. */
export interface TransferContext {
  readonly places: ClientPlaces;
  /** Asks for the artifacts of a project's elements; `undefined` where there is no project. */
  readonly ofElements: QuestionSources["ofElements"];
  readonly progress: TransferProgress;
  readonly done: (outcome: ItemOutcome) => void;
  /** Called before what has come is written to a place that has it only then, as a tar file. */
  readonly saving?: (place: string) => void;
  readonly signal: AbortSignal;
}

/** Artifacts that a mirror looks up or copies at a time: most of a small one is waiting for answers. */
const mirrorWidth = 32;

/**
 * Pulls what names mean to a place, from others in their order or from the configured servers. A name that means nothing is an outcome, and so is that there is no server to ask (`unavailable`,
 * `failed-precondition`): what is there already needs none. Errors: those of opening `to`.
 */
export async function pullNamed(
  names: readonly string[],
  ends: {
    readonly from: readonly PlaceName[] | undefined;
    readonly to: PlaceName;
    readonly optional: TransferOptions["optional"];
  },
  context: TransferContext,
): Promise<TransferSummary> {
  await using ours = new OwnPlaces(context);
  const { configuration } = context.places;
  const to = await ours.open(ends.to, "write");
  let opening: Promise<readonly Place[]> | undefined;
  const sources = (): Promise<readonly Place[]> => {
    opening ??= ends.from === undefined ? serversOf(configuration.remotes, context) : ours.openThose(ends.from, "read");
    return opening;
  };
  const meant = await meaningOf(names, sources, context);
  const { pullArtifacts } = await import("../transfer/pull-artifacts.ts");
  const options = { ...optionsOf(context), optional: ends.optional, width: configuration.fetchers };
  const summary = await tellingNear(
    names,
    context,
    () => indexesOf(sources),
    (but) =>
      saveAfter(ours.saving(), (done) =>
        pullArtifacts(meant.questions, { ...options, done: but(done), to, remotes: sources }),
      ),
  );
  return together(meant, summary);
}

/** Pushes what names mean from one place to others, all of them, or to the configured servers that are for pushing. Outcomes as of `pullNamed`. Errors: those of opening the places; `unavailable` and `failed-precondition` where there is no server. */
export async function pushNamed(
  names: readonly string[],
  ends: { readonly from: PlaceName; readonly to: readonly PlaceName[] | undefined },
  context: TransferContext,
): Promise<TransferSummary> {
  await using ours = new OwnPlaces(context);
  const { configuration } = context.places;
  const from = await ours.open(ends.from, "read");
  const meant = await meaningOf(names, async () => [from], context);
  if (meant.questions.length === 0) return together(meant, nothingDone);
  const servers = configuration.remotes.filter(({ push }) => push);
  const to = ends.to === undefined ? await serversOf(servers, context, true) : await ours.openThose(ends.to, "write");
  const leftOut = (ends.to ?? servers).length - to.length;
  const { pushArtifacts } = await import("../transfer/push-artifacts.ts");
  const options = { ...optionsOf(context), optional: "those-there", width: configuration.pushers } as const;
  const summary = await tellingNear(
    names,
    context,
    () => indexesOf(async () => [from]),
    (but) =>
      saveAfter(ours.saving(), (done) => pushArtifacts(meant.questions, { ...options, done: but(done), from, to })),
  );
  return { ...together(meant, summary), leftOut };
}

/** Copies what one place has and another lacks: what names mean, or everything. Outcomes as of `pullNamed`. Errors: those of opening the places, and `unsupported` where all cannot be listed. */
export async function mirrorNamed(
  names: readonly string[] | undefined,
  ends: { readonly from: PlaceName; readonly to: PlaceName },
  context: TransferContext,
): Promise<TransferSummary> {
  await using ours = new OwnPlaces(context);
  const [from, to] = [await ours.open(ends.from, "read"), await ours.open(ends.to, "write")];
  const { mirrorArtifacts, mirrorThese } = await import("../transfer/mirror-artifacts.ts");
  const options = { ...optionsOf(context), from, to, optional: "those-there", width: mirrorWidth } as const;
  if (names === undefined) {
    const all = [{ project: "*", element: "*", key: "*" }];
    return await saveAfter(ours.saving(), (done) => mirrorArtifacts(all, { ...options, done }));
  }
  const meant = await meaningOf(names, async () => [from], context);
  const summary = await tellingNear(
    names,
    context,
    () => indexesOf(async () => [from]),
    (but) => saveAfter(ours.saving(), (done) => mirrorThese(meant.questions, { ...options, done: but(done) })),
  );
  return together(meant, summary);
}

/** Places of one transfer: those that were opened for it are saved and closed with it. */
class OwnPlaces implements AsyncDisposable {
  private readonly stack = new AsyncDisposableStack();
  private readonly context: TransferContext;
  private readonly written: Place[] = [];

  constructor(context: TransferContext) {
    this.context = context;
  }

  async open(name: PlaceName, mode: "read" | "write"): Promise<Place> {
    const { places, signal } = this.context;
    if (typeof name !== "string") return name;
    if (name === localName) return places.local();
    const place = this.stack.use(await places.open(name, { mode, signal }));
    if (mode === "write") this.written.push(place);
    return place;
  }

  /** What is to be saved, and who hears of it. */
  saving(): SavingOptions {
    const { done, saving } = this.context;
    return { places: this.written, done, saving };
  }

  /**
   * Those that can be used, in their order: a server that cannot be reached keeps nobody from the others. Errors: the first one where none can be used; what is wrong with a name, or
   * with a file.
   */
  async openThose(names: readonly PlaceName[], mode: "read" | "write"): Promise<readonly Place[]> {
    const tried = await Promise.allSettled(names.map((each) => this.open(each, mode)));
    const failures = tried.flatMap((each, i) =>
      each.status === "fulfilled" ? [] : [{ name: `${names[i]}`, error: asStillageError(each.reason) }],
    );
    const fatal = failures.find(({ error }) => !isOfServer(error)) ?? (failures.length === names.length && failures[0]);
    if (fatal) throw fatal.error;
    for (const { name, error } of failures) this.context.places.leftOut(name, error);
    return tried.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }
}

/** Whether a server says so, or does not say anything. */
function isOfServer(error: StillageError): boolean {
  const { code } = error;
  return isPassing(error) || code === "unauthenticated" || code === "forbidden" || code === "unsupported";
}

/** Questions, and what of the names came to nothing, which is counted. */
interface Meaning {
  readonly questions: ArtifactQuestion[];
  readonly results: { missing: number; failed: number };
}

async function meaningOf(
  names: readonly string[],
  sources: () => Promise<readonly Place[]>,
  { places, ofElements, done, signal }: TransferContext,
): Promise<Meaning> {
  const { questions, meaningless, untold } = await questionsMeant(names, {
    places: () => indexesOf(sources),
    ofElements,
    signal,
  });
  for (const { place, text, error } of untold) {
    const { hint } = error;
    const message = `what it has of ${JSON.stringify(text)} is not known: ${error.message}`;
    places.leftOut(place, new StillageError(error.code, message, { cause: error, ...(hint && { hint }) }));
  }
  const results = { missing: 0, failed: 0 };
  for (const { text, error } of meaningless) {
    const result = error.code === "not-found" ? "missing" : "failed";
    results[result] += 1;
    done({ name: text, result, place: undefined, blobs: 0, bytes: 0, notes: [], error });
  }
  return { questions, results };
}

async function* indexesOf(sources: () => Promise<readonly Place[]>) {
  for (const { name, index } of await sources()) if (index !== undefined) yield { name, index };
}

/** With `each` all of them are wanted. */
async function serversOf(
  specs: readonly RemoteSpec[],
  { places, signal }: TransferContext,
  each = false,
): Promise<readonly Place[]> {
  const servers = await places.remotes(specs, signal, each);
  if (servers.length > 0) return servers;
  if (specs.length > 0) throw new StillageError("unavailable", "none of the remotes can be used");
  throw new StillageError("failed-precondition", "no remote is configured for this", {
    hint: "`stillage remote list` shows which are, and why others are not; --remote, or `remotes` of the library, names one",
  });
}

function optionsOf({ places, progress, done, signal }: TransferContext): Omit<TransferOptions, "optional" | "width"> {
  return { retries: places.configuration.networkRetries, budget: copyBudget(), progress, done, signal };
}

function together({ results: before }: Meaning, summary: TransferSummary): TransferSummary {
  const { missing, failed } = summary.results;
  const results = { ...summary.results, missing: missing + before.missing, failed: failed + before.failed };
  return { ...summary, results };
}
