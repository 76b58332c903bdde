import { asStillageError, type StillageError } from "../../base/errors.ts";
import type { ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import type { Place } from "../place.ts";
import { copyBlobs, whyIncomplete } from "./copy-artifact.ts";
import { copyBetween, sourcesOf } from "./copy-between.ts";
import type { CopiedContent } from "./copy-content.ts";
import { nameOfArtifact, notesOfCopy, type TransferSummary, type UncountedOutcome } from "./transfer-outcome.ts";
import { runQueue, type TransferOptions } from "./transfer-queue.ts";

export interface PushOptions extends TransferOptions {
  readonly from: Place;
  /** All of them get what is pushed. Some may have names alone and some blobs alone. */
  readonly to: readonly Place[];
}

/**
 * Pushes artifacts to every place: the blobs to all that take blobs, then the names to all that have an index. A place that fails leaves the others alone; no index is told of what
 * is nowhere whole, and one that has blobs beside it only of what they have. What is there already costs two questions: whether the name is, and whether the blobs are,
 * so that a server that has lost some gets them again.
 */
export function pushArtifacts(questions: readonly ArtifactQuestion[], options: PushOptions): Promise<TransferSummary> {
  options.progress?.addItems(questions.length);
  return runQueue(
    questions,
    { name: nameOfArtifact, work: (each, progress) => pushOne(each, { ...options, progress }) },
    options,
  );
}

async function pushOne(question: ArtifactQuestion, options: PushOptions): Promise<UncountedOutcome> {
  const { from, signal } = options;
  const nothing = { name: nameOfArtifact(question), place: undefined, notes: [], error: undefined };
  const artifact = await from.index?.find(question, signal);
  if (artifact === undefined) return { ...nothing, result: "missing" };
  const push = new OnePush(artifact, options);
  await push.ask();
  if (artifact.generation === "1.0") await push.copyCommits();
  else {
    await push.fill();
    await push.publish();
  }
  return { ...nothing, ...push.outcome() };
}

/** A destination, and what is known of the artifact there. */
interface Target {
  readonly place: Place;
  named: boolean;
  /** What is whole there, once it has been brought. */
  copied: CopiedContent | undefined;
}

class OnePush {
  private readonly artifact: IndexedArtifact;
  private readonly options: PushOptions;
  private readonly notes: string[] = [];
  private readonly published: string[] = [];
  /** Places that had the name already, and lacked blobs. */
  private readonly filled: string[] = [];
  /** Whether any of its blobs was lacking anywhere. */
  private hasMoved = false;
  private targets: Target[] = [];
  private failure: StillageError | undefined;
  private incomplete = false;

  constructor(artifact: IndexedArtifact, options: PushOptions) {
    this.artifact = artifact;
    this.options = options;
  }

  /** Asks the indexes whether they lead to it already, all at once. */
  async ask(): Promise<void> {
    const { project, element, keys, generation, content } = this.artifact;
    const ask = async (place: Place): Promise<Target | undefined> => {
      const { index } = place;
      if (index !== undefined && !index.generations.includes(generation)) {
        this.notes.push(`${place.name} takes no artifacts of BuildStream ${generation}`);
        return undefined;
      }
      const found = await index?.find({ project, element, keys, generation }, this.options.signal);
      return { place, named: found?.content.hash === content.hash, copied: undefined };
    };
    await this.each(
      this.options.to,
      ({ name }) => name,
      async (place) => {
        const target = await ask(place);
        if (target !== undefined) this.targets.push(target);
      },
    );
  }

  /** Brings the blobs to all places that take them: a name says nothing of what has become of them. */
  async fill(): Promise<void> {
    const { from, optional, budget, progress, signal } = this.options;
    const taking = this.targets.filter(({ place }) => place.blobs !== undefined);
    await this.each(taking, nameOf, async (target) => {
      const sources = sourcesOf([from]);
      const { copied, faults } = await copyBlobs(this.artifact, sources, target.place, {
        optional,
        budget,
        progress,
        signal,
      });
      this.hasMoved ||= copied.moved.blobs > 0;
      if (copied.whole) {
        target.copied = copied;
        if (target.named && copied.moved.blobs > 0) this.filled.push(target.place.name);
        return;
      }
      // What is there is no worse for what is not here.
      if (target.named) return;
      const why = whyIncomplete({ ...copied, faults });
      if (why !== undefined) throw why;
      this.incomplete = true;
      this.notes.push(...notesOfCopy({ ...copied, faults }));
    });
  }

  /** Gives it its names, where its blobs are there or the place leaves blobs to others. */
  async publish(): Promise<void> {
    const anywhere = this.targets.find(({ copied }) => copied !== undefined)?.copied;
    const wanting = this.targets.filter(({ place, named }) => place.index !== undefined && !named);
    await this.each(wanting, nameOf, async ({ place, copied }) => {
      const content = (place.blobs === undefined ? anywhere : copied)?.content;
      if (content === undefined) return;
      await place.index?.publish(this.artifact, content, this.options.signal);
      this.published.push(place.name);
    });
  }

  async copyCommits(): Promise<void> {
    const { from, optional, budget, progress, signal } = this.options;
    const wanting = this.targets.filter(({ named }) => !named);
    await this.each(wanting, nameOf, async ({ place }) => {
      const copied = await copyBetween(this.artifact, [from], place, { optional, budget, progress, signal });
      const why = whyIncomplete(copied);
      if (why !== undefined) throw why;
      this.published.push(place.name);
    });
  }

  outcome(): Omit<UncountedOutcome, "name"> {
    const { failure: error, notes } = this;
    const places = [...this.filled, ...this.published];
    const place = places.length === 0 ? undefined : places.join(", ");
    return { result: this.result(), place, notes, error };
  }

  private result(): UncountedOutcome["result"] {
    if (this.failure !== undefined) return "failed";
    if (this.incomplete) return "missing";
    if (this.published.length > 0 || this.hasMoved) return "copied";
    return this.targets.length === 0 ? "skipped" : "present";
  }

  /** All at once; the first failure is that of the artifact, and every one is noted. */
  private async each<T>(
    items: readonly T[],
    name: (item: T) => string,
    work: (item: T) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.options;
    const one = async (item: T): Promise<void> => {
      try {
        await work(item);
      } catch (caught) {
        signal.throwIfAborted();
        const error = asStillageError(caught);
        this.failure ??= error;
        this.notes.push(`${name(item)}: ${error.message}`);
      }
    };
    await Promise.all(items.map(one));
  }
}

const nameOf = ({ place }: Target): string => place.name;
