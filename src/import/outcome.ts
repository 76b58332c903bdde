import type { NameKind } from "./name-kind.ts";
import type { Layout } from "./old-cache.ts";

/** Problems that are told one by one; of more there is only the number. */
const maxProblems = 1000;

export interface Problem {
  readonly path: string;
  readonly why: string;
}

/** What became of names of one kind. */
export interface NameCounts {
  found: number;
  taken: number;
  /** There already, as they are. */
  there: number;
  /** There already, and used or pushed later here than there. */
  newer: number;
  /** Not all that they need is there: a client that asked would not get them either, and makes and pushes them anew. */
  incomplete: number;
  expired: number;
  /** Files that are not what they should be. */
  wrong: number;
}

/** What became of blobs. */
export interface BlobCounts {
  /** Files where blobs are; 0 until they have been counted. */
  files: number;
  taken: number;
  takenBytes: number;
  /** Of those taken, files whose bytes are shared with the old server's. */
  cloned: number;
  linked: number;
  sharedBytes: number;
  /** In the store before. */
  there: number;
  /** Bytes that are not what the name says, or cannot be read. */
  wrong: number;
  /** Under a hash of a function that is not known here, such as MD5. */
  foreign: number;
  /** Left out, as only names lead there and none that was taken needs them: the objects of OSTree repositories. */
  unneeded: number;
}

/** What an import has come to; changes while it runs. */
export class Outcome {
  readonly layouts: readonly Layout[];
  readonly blobs: BlobCounts = {
    files: 0,
    taken: 0,
    takenBytes: 0,
    cloned: 0,
    linked: 0,
    sharedBytes: 0,
    there: 0,
    wrong: 0,
    foreign: 0,
    unneeded: 0,
  };
  readonly names = new Map<NameKind["what"], NameCounts>();
  /** Files that are neither names nor blobs. */
  otherFiles = 0;
  readonly problems: Problem[] = [];
  problemCount = 0;
  /** What is being done, and how far it is. */
  phase: "looking" | "names" | "blobs" | "done" = "looking";
  steps = 0;
  allSteps = 0;

  constructor(layouts: readonly Layout[], kinds: readonly NameKind[]) {
    this.layouts = layouts;
    for (const { what } of kinds) this.names.set(what, emptyCounts());
  }

  namesOf({ what }: NameKind): NameCounts {
    const counts = this.names.get(what) ?? emptyCounts();
    this.names.set(what, counts);
    return counts;
  }

  begin(phase: Outcome["phase"], allSteps: number): void {
    this.phase = phase;
    this.steps = 0;
    this.allSteps = allSteps;
  }

  report(problem: Problem): void {
    this.problemCount++;
    if (this.problems.length < maxProblems) this.problems.push(problem);
  }
}

function emptyCounts(): NameCounts {
  return { found: 0, taken: 0, there: 0, newer: 0, incomplete: 0, expired: 0, wrong: 0 };
}
