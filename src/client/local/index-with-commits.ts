import type { ArtifactContent } from "../../artifact/artifact-content.ts";
import type { ArtifactGlob, ArtifactIndex, ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import type { CommitCache } from "../ostree/commit-cache.ts";
import type { CacheIndex } from "./cache-index.ts";

/** The names in BuildStream's own cache, and those of artifacts of BuildStream 1.0 beside it. */
export class IndexWithCommits implements ArtifactIndex {
  readonly generations = ["2.x", "1.9x", "1.x", "1.0"] as const;
  private readonly own: CacheIndex;
  private readonly commits: Pick<CommitCache, "index" | "remove">;

  constructor(own: CacheIndex, commits: Pick<CommitCache, "index" | "remove">) {
    this.own = own;
    this.commits = commits;
  }

  async find(question: ArtifactQuestion, signal: AbortSignal): Promise<IndexedArtifact | undefined> {
    const { generation } = question;
    const found = generation === "1.0" ? undefined : await this.own.find(question, signal);
    if (found !== undefined || (generation !== undefined && generation !== "1.0")) return found;
    return this.commits.index.find(question, signal);
  }

  async *list(globs: readonly ArtifactGlob[], signal: AbortSignal): AsyncGenerator<IndexedArtifact> {
    yield* this.own.list(globs, signal);
    yield* this.commits.index.list(globs, signal);
  }

  /** Errors: as of the index of the cache; `unsupported` for a commit, which is taken with all that it needs. */
  publish(artifact: IndexedArtifact, content: ArtifactContent, signal: AbortSignal): Promise<"published" | "present"> {
    return this.own.publish(artifact, content, signal);
  }

  /** Tells how many names are gone. */
  remove(artifact: IndexedArtifact): Promise<number> {
    return artifact.generation === "1.0" ? this.commits.remove(artifact) : this.own.remove(artifact);
  }
}
