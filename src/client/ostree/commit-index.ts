import type { Digest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { readCommit } from "../../cache/commit-walk.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import type { ArtifactGlob, ArtifactIndex, ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import type { NamedCommit } from "./named-commits.ts";

/** Where the refs are. Errors of both: those of the place. */
export interface CommitNames {
  /** Whether commits are read without a network: then a list reads those that have several keys. */
  readonly near: boolean;
  find(question: ArtifactQuestion, signal: AbortSignal): Promise<NamedCommit | undefined>;
  list(globs: readonly ArtifactGlob[], signal: AbortSignal): Promise<Iterable<NamedCommit>>;
  /** Bytes of a commit, where the names tell that. */
  sizeOf(commit: string): number | undefined;
}

/** Artifacts of BuildStream 1.0 by the refs that name them. A ref whose commit is not there names nothing. */
export class CommitIndex implements ArtifactIndex {
  readonly generations = ["1.0"] as const;
  private readonly names: CommitNames;
  private readonly blobs: BlobReader;

  constructor(names: CommitNames, blobs: BlobReader) {
    this.names = names;
    this.blobs = blobs;
  }

  async find(question: ArtifactQuestion, signal: AbortSignal): Promise<IndexedArtifact | undefined> {
    if (question.generation !== undefined && question.generation !== "1.0") return undefined;
    signal.throwIfAborted();
    const named = await this.names.find(question, signal);
    signal.throwIfAborted();
    return named && this.artifact(named, "as the commit says", question.keys);
  }

  async *list(globs: readonly ArtifactGlob[], signal: AbortSignal): AsyncGenerator<IndexedArtifact> {
    signal.throwIfAborted();
    for (const named of await this.names.list(globs, signal)) {
      signal.throwIfAborted();
      const artifact = await this.artifact(named, this.names.near ? "as the commit says" : "as asked");
      if (artifact !== undefined) yield artifact;
    }
  }

  /** A commit goes with what it needs, see `copyCommit`. */
  publish(): Promise<never> {
    return Promise.reject(
      new StillageError("unsupported", "artifacts of BuildStream 1.0 are commits, and get their names when they come"),
    );
  }

  private async artifact(
    named: NamedCommit,
    order: "as asked" | "as the commit says",
    asked: readonly string[] = [],
  ): Promise<IndexedArtifact | undefined> {
    const { project, element, commit } = named;
    const size = this.names.sizeOf(commit) ?? (await this.blobs.sizeOf(sha256, commit));
    if (size === undefined) return undefined;
    const content = { function: sha256, hash: commit, size };
    const several = named.keys.length > 1;
    const subject = several && order === "as the commit says" ? await this.subjectOf(content) : undefined;
    const keys = several ? strongFirst(named, subject, asked) : named.keys;
    return { project, element, keys, generation: "1.0", content, message: undefined };
  }

  private async subjectOf(commit: Digest): Promise<string | undefined> {
    const read = await readCommit(this.blobs, commit).catch((error: unknown) => {
      if (error instanceof StillageError && error.code === "invalid") return undefined; // told of when it is looked at
      throw error;
    });
    return read?.subject;
  }
}

/** BuildStream 1.0 says in a commit's subject which key is the strong one; 1.1 says nothing there, and asks for it first. */
function strongFirst(
  { project, element, keys }: NamedCommit,
  subject: string | undefined,
  asked: readonly string[],
): string[] {
  const rank = (key: string): number => {
    if (subject === `${project}/${element}/${key}`) return -1;
    return asked.includes(key) ? asked.indexOf(key) : asked.length;
  };
  return keys.toSorted((a, b) => rank(a) - rank(b));
}
