import { mkdirSync, type Stats, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { StillageError } from "./errors.ts";

/**
 * Directories with those above them, in place of `recursive` of Node's own mkdir: that goes round for ever, deaf to signals, where a file system has a directory and
 * takes no other in it, as /proc does, and says of one that is read-only that there is none. Here none is tried more than twice. What is there stays as it is; a crash
 * leaves some of them, empty. `mode` is that of those that are made.
 *
 * Errors of both: `failed-precondition` for what is there and is no directory; those of the file system, as they are.
 */
export async function makeFolder(path: string, mode?: number): Promise<readonly string[]> {
  const one = async (at: string): Promise<Outcome> => {
    try {
      await mkdir(at, { mode });
      return "made";
    } catch (error) {
      return outcomeOf(at, error, await stat(at).catch(() => undefined));
    }
  };
  const steps = stepsTo(resolve(path));
  for (let step = steps.next(); ; step = steps.next(await one(step.value))) if (step.done) return step.value;
}

/** As `makeFolder`, at once. Gives those that were made, absolute, the uppermost first. */
export function makeFolderSync(path: string, mode?: number): readonly string[] {
  const one = (at: string): Outcome => {
    try {
      mkdirSync(at, { mode });
      return "made";
    } catch (error) {
      return outcomeOf(at, error, lookAt(at));
    }
  };
  const steps = stepsTo(resolve(path));
  for (let step = steps.next(); ; step = steps.next(one(step.value))) if (step.done) return step.value;
}

/** What became of making one; or the error, where there is nothing to make it in. */
type Outcome = "made" | "there" | Error;

/** Which to make next: upwards to the first that is made or there, and down again. */
function* stepsTo(path: string): Generator<string, readonly string[], Outcome> {
  const missing: string[] = [];
  const made: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const outcome = yield at;
    if (outcome === "made") made.push(at);
    if (outcome === "made" || outcome === "there") break;
    if (dirname(at) === at) throw outcome;
    missing.push(at);
  }
  for (const at of missing.reverse()) {
    const outcome = yield at;
    if (outcome === "made") made.push(at);
    else if (outcome !== "there") throw outcome;
  }
  return made;
}

function outcomeOf(path: string, error: unknown, there: Stats | undefined): Outcome {
  // Some file systems say other things than that it is there.
  if (there?.isDirectory()) return "there";
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return error as Error;
  if (code !== "EEXIST") throw error;
  const what = there === undefined ? "a link that leads nowhere" : "no directory";
  throw new StillageError("failed-precondition", `${path} is ${what}`, {
    hint: "name another directory, or remove what is in its place",
    cause: error,
  });
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
