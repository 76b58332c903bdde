/** What came of looking at one thing. `unchecked`: nothing was found out about it. */
export type Outcome = "ok" | "failed" | "unchecked";

export interface Finding {
  readonly outcome: Outcome;
  /** A file by its path from the directory `public`; or what else was looked at. */
  readonly about: string;
  /** One sentence without a full stop. */
  readonly says: string;
}

/** What was found out of one release. */
export interface ReleaseFindings {
  readonly branch: string;
  readonly version: string | undefined;
  readonly commit: string;
  readonly findings: readonly Finding[];
}

/** Whose keys signatures were held against. */
export type KeySource = "given" | "repository" | "none";

export interface VerifyReport {
  /** The directory that was verified. */
  readonly directory: string;
  readonly keySource: KeySource;
  readonly keys: readonly { readonly kind: string; readonly name: string; readonly id: string }[];
  /** Of the repository as a whole. */
  readonly findings: readonly Finding[];
  readonly releases: readonly ReleaseFindings[];
}

/** Gathers findings. */
export class Findings {
  readonly list: Finding[] = [];

  ok(about: string, says: string): void {
    this.list.push({ outcome: "ok", about, says });
  }

  failed(about: string, says: string): void {
    this.list.push({ outcome: "failed", about, says });
  }

  unchecked(about: string, says: string): void {
    this.list.push({ outcome: "unchecked", about, says });
  }
}

/** All findings of a report, the repository's first. */
export function allFindings({ findings, releases }: VerifyReport): readonly Finding[] {
  return [...findings, ...releases.flatMap((each) => each.findings)];
}
