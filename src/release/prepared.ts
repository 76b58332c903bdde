import type { Manifest, ManifestAttachment } from "./manifest.ts";

/** Keys of a commit's metadata that are ours, beside OSTree's own `version`, `ostree.ref-binding` and `ostree.source-title`. */
export const metadataKeys = {
  /** SHA-256 of `manifest.json`, in hex digits. */
  manifest: "stillage.manifest.sha256",
  /** The strong key of the artifact, or the one that it was found by. */
  artifactKey: "stillage.artifact.key",
  /** `PROJECT/ELEMENT` of the artifact. */
  artifact: "stillage.artifact.name",
  /** The commit whose tree a rollback brought back. */
  rollbackOf: "stillage.rollback-of",
} as const;

/** A commit that is made, and not published: its tree is in the repository's objects, and no ref leads to it. */
export interface PreparedCommit {
  readonly branch: string;
  /** SHA-256 of `bytes`. */
  readonly commit: string;
  /** What GPG and Ed25519 sign. */
  readonly bytes: Uint8Array;
  /** What the branch has to be at when this is published; `undefined`: it must not exist. */
  readonly parent: string | undefined;
  /** The in-toto statement about it, as DSSE signs it; `undefined` where there is none. */
  readonly statement: Uint8Array | undefined;
}

/**
 * A release that is made, and not published. On disk, in `prepared/ID/`: `release.json` (all but bytes), `COMMIT.commit` and `COMMIT.statement.json` for each commit,
 * `manifest.json`, `manifest.yaml`, and `attachments/NAME`.
 */
export interface PreparedRelease {
  /** The beginning of the first commit's checksum. */
  readonly id: string;
  /** Its directory. */
  readonly directory: string;
  /** In milliseconds since 1970. */
  readonly made: number;
  /** Whether somebody is to sign it elsewhere; else it is gone as soon as it is published, or is not. */
  readonly kept: boolean;
  readonly commits: readonly PreparedCommit[];
  /** `undefined` where it is a commit of an older one's content, which has its own. */
  readonly manifest: Manifest | undefined;
  readonly attachments: readonly ManifestAttachment[];
}

/** What came of signing one commit. */
export interface SignedCommit {
  readonly commit: string;
  /** The `.commitmeta` with the signatures; `undefined` where nobody signs. */
  readonly detached: Uint8Array | undefined;
  /** The DSSE envelope around the statement, as JSON; `undefined` where there is none. */
  readonly envelope: Uint8Array | undefined;
}

/** How a release is signed: by the repository's own signers, or elsewhere. */
export interface ReleaseSigning {
  sign(prepared: PreparedRelease): Promise<readonly SignedCommit[]>;
  /** After `sign`: when the summary says that it was made, in seconds since 1970, where one was signed elsewhere that has to come out the same. */
  summaryTime(): Promise<number | undefined>;
  /** The `summary.sig` for a summary; `undefined` where nobody signs it. */
  signSummary(summary: Uint8Array): Promise<Uint8Array | undefined>;
}
