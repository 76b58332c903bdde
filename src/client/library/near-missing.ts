import { elementGlobs } from "../../artifact/element-name.ts";
import { StillageError } from "../../base/errors.ts";
import { hasWildcard } from "../../store/glob.ts";
import { readArtifactText } from "../artifact-text.ts";
import type { AskedIndex } from "../meant-artifacts.ts";
import { nearestNames } from "../nearest-names.ts";
import type { ItemOutcome } from "../transfer/transfer-outcome.ts";

/** Whoever names more than these has a list from somewhere, and each costs a list of what there is. */
const maxTold = 3;

const wholeKey = /^[0-9a-f]{64}$/;

interface WholeName {
  readonly project: string;
  readonly element: string;
}

type Done = (outcome: ItemOutcome) => void;

/**
 * Does `work`, with what somebody named. Artifacts that are named with their whole keys are nowhere looked up: those that turn out to be missing are told behind all others, with names that are
 * near in `places`. Of the elements of a project some are always missing, and nothing more is to be told of them. Errors: those of `work`.
 */
export async function tellingNear<T>(
  texts: readonly string[],
  { done, signal }: { readonly done: Done; readonly signal: AbortSignal },
  places: () => AsyncIterable<AskedIndex>,
  work: (but: (done: Done) => Done) => Promise<T>,
): Promise<T> {
  const near = new NearMissing(texts);
  try {
    return await work((each) => near.but(each));
  } finally {
    await near.tell(done, places, signal);
  }
}

class NearMissing {
  private readonly whole = new Map<string, WholeName>();
  private readonly missing = new Map<ItemOutcome, WholeName>();

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const name = wholeName(text);
      if (name !== undefined) this.whole.set(`${name.project}/${name.element}/${name.key}`, name);
    }
  }

  /** `done`, but for those that are to be told later. */
  but(done: Done): Done {
    return (outcome) => {
      const name = this.whole.get(outcome.name);
      const later = outcome.result === "missing" && outcome.error === undefined && this.missing.size < maxTold;
      if (later && name !== undefined) this.missing.set(outcome, name);
      else done(outcome);
    };
  }

  /** Tells of these. Never fails: a hint is not worth that. */
  async tell(done: Done, places: () => AsyncIterable<AskedIndex>, signal: AbortSignal): Promise<void> {
    if (this.missing.size === 0) return;
    const asked = await allOf(places()).catch(() => []);
    for (const [outcome, name] of this.missing) {
      const hint = await nearestNames(asked, name, signal).catch(() => undefined);
      const where = asked.map((place) => place.name).join(", ") || "any place";
      const message = `there is no artifact ${JSON.stringify(outcome.name)} in ${where}`;
      done({ ...outcome, error: new StillageError("not-found", message, hint === undefined ? {} : { hint }) });
    }
  }
}

async function allOf(places: AsyncIterable<AskedIndex>): Promise<AskedIndex[]> {
  const all: AskedIndex[] = [];
  for await (const place of places) all.push(place);
  return all;
}

function wholeName(text: string): (WholeName & { readonly key: string }) | undefined {
  try {
    const meaning = readArtifactText(text, false);
    if (meaning.kind !== "artifact" || !wholeKey.test(meaning.key)) return undefined;
    const { project, element, key } = meaning;
    // By its file's name an element has another name in caches.
    return hasWildcard(project + element)
      ? undefined
      : { project, element: elementGlobs(element).at(-1) ?? element, key };
  } catch {
    return undefined;
  }
}
