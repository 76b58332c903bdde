/** What is wrong with a repository. */
export interface FsckProblem {
  /** An object that is not what its name says; one that is needed; a file that belongs to no repository; a ref; the summary. */
  readonly kind: "damaged" | "missing" | "foreign" | "ref" | "summary";
  /** The object, file or ref that it is about. */
  readonly what: string;
  readonly message: string;
}

/** Of more problems the first are told, and how many there are. */
const maxTold = 1000;

/** The problems that were found. */
export class Findings {
  readonly told: FsckProblem[] = [];
  count = 0;

  tell(kind: FsckProblem["kind"], what: string, message: string): void {
    if (this.count++ < maxTold) this.told.push({ kind, what, message });
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
