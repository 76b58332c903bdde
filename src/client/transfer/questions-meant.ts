import { elementGlobs } from "../../artifact/element-name.ts";
import { asStillageError, type StillageError } from "../../base/errors.ts";
import { hasWildcard } from "../../store/glob.ts";
import type { ArtifactQuestion } from "../artifact-index.ts";
import { readArtifactText } from "../artifact-text.ts";
import { type AskedIndex, allArtifactsMeant } from "../meant-artifacts.ts";

/** Where what names mean is found out. */
export interface QuestionSources {
  /** Where names are looked up that are not whole, the first place that is asked first. Called where there are such names. */
  readonly places: () => AsyncIterable<AskedIndex> | Iterable<AskedIndex>;
  /** Asks for the artifacts of elements of the project at hand, of all at once; left out where there is no project. */
  readonly ofElements?: ((elements: readonly string[], signal: AbortSignal) => Promise<ArtifactQuestion[]>) | undefined;
  readonly signal: AbortSignal;
}

/** A text that means nothing that is known. */
export interface MeaninglessText {
  readonly text: string;
  readonly error: StillageError;
}

/** A place that could not tell what it has of what a text means, where others could. */
export interface UntoldMeaning extends MeaninglessText {
  readonly place: string;
}

const wholeKey = /^[0-9a-f]{64}$/;

/**
 * What somebody means to move by these names, each artifact once, from all places where a name may mean several. A whole `PROJECT/ELEMENT/KEY` is nowhere looked up. What means nothing keeps the others from nothing. Errors: those of
 * `ofElements`, and the signal's reason.
 */
export async function questionsMeant(
  texts: readonly string[],
  { places, ofElements, signal }: QuestionSources,
): Promise<{
  readonly questions: ArtifactQuestion[];
  readonly meaningless: MeaninglessText[];
  readonly untold: UntoldMeaning[];
}> {
  const questions = new Map<string, ArtifactQuestion>();
  const add = (question: ArtifactQuestion): void => {
    const name = `${question.project}/${question.element}/${question.keys[0]}`;
    if ((questions.get(name)?.keys.length ?? 0) < question.keys.length) questions.set(name, question);
  };
  const untold: UntoldMeaning[] = [];
  const meaningless: MeaninglessText[] = [];
  const elements: string[] = [];
  for (const text of texts) {
    try {
      const meaning = readArtifactText(text, ofElements !== undefined);
      if (meaning.kind === "element file") elements.push(meaning.element);
      else if (wholeKey.test(meaning.key) && !hasWildcard(meaning.project + meaning.element)) {
        add({ project: meaning.project, element: storedName(meaning.element), keys: [meaning.key] });
      } else {
        const { meant, unknown } = await allArtifactsMeant(places(), text, { signal });
        for (const { artifact } of meant) add(artifact);
        untold.push(...unknown.map(({ place, error }) => ({ place: place.name, text, error })));
      }
    } catch (error) {
      signal.throwIfAborted();
      meaningless.push({ text, error: asStillageError(error) });
    }
  }
  if (elements.length > 0 && ofElements !== undefined) {
    for (const question of await ofElements(elements, signal)) add(question);
  }
  return { questions: [...questions.values()], meaningless, untold };
}

/** An element by its file's name has another name in caches. */
const storedName = (element: string): string => elementGlobs(element).at(-1) ?? element;
