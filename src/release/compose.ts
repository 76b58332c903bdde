import { StillageError } from "../base/errors.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { commitTree } from "../ostree/archive/commit-tree.ts";
import type { RepositoryChange } from "../ostree/archive/repository-change.ts";
import type { DirectoryEntry } from "../ostree/archive/tree-entry.ts";
import { type Commit, encodeCommit } from "../ostree/commit.ts";
import type { Attachment } from "./attachment.ts";
import { releaseMetadata } from "./commit-metadata.ts";
import { historyOf } from "./history.ts";
import { type Manifest, type ManifestArtifact, manifestDigest, manifestJson } from "./manifest.ts";
import type { PreparedCommit } from "./prepared.ts";
import type { ReleaseRecord } from "./release-record.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import type { Origins } from "./show-check.ts";
import { type StatementOptions, statementOf } from "./statement.ts";

/** What somebody wants to release. */
export interface ReleaseRequest {
  /** Checked by `checkBranches`. */
  readonly branches: readonly string[];
  readonly version: string | undefined;
  readonly title: string | undefined;
  /** The commit's first line; `undefined`: made of the rest. */
  readonly subject: string | undefined;
  readonly body: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tree: DirectoryEntry;
  readonly artifact: ManifestArtifact | undefined;
  readonly origins: Pick<Origins, "sources" | "dependencies">;
  readonly attachments: readonly Attachment[];
  /** Logs of the build: name -> SHA-256. They are in the provenance alone, so that the same content built again is the same release. */
  readonly logs?: Readonly<Record<string, string>>;
  /** Also where a branch has this version with other content. */
  readonly force: boolean;
}

/** Who makes releases, as provenance says it. */
export type Maker = Pick<StatementOptions, "builder" | "versions" | "logs">;

/** What a request comes to. */
export interface Composed {
  readonly manifest: Manifest;
  readonly commits: readonly PreparedCommit[];
  /** The newest releases of branches that have all this already. */
  readonly unchanged: readonly ReleaseRecord[];
}

/**
 * Puts the tree into a change of the repository and makes the commits, of which no ref tells yet. Errors: `exists` where a branch has the version with other
 * content; those of reading the tree.
 */
export async function composeRelease(
  archive: ArchiveRepository,
  change: RepositoryChange,
  request: ReleaseRequest,
  { maker, options }: ReleaseWriter,
): Promise<Composed> {
  const { signal } = options;
  const commitOptions = { canonical: true, ...(signal === undefined ? {} : { signal }) };
  const { tree, treeMeta, contentChecksum, files, bytes } = await commitTree(change, request.tree, commitOptions);
  const manifest = manifestOf(request, { checksum: contentChecksum, files, bytes });
  const digest = manifestDigest(manifestJson(manifest));
  const made = request.logs === undefined ? maker : { ...maker, logs: request.logs };
  const commits: PreparedCommit[] = [];
  const unchanged: ReleaseRecord[] = [];
  for (const branch of request.branches) {
    const head = await headFor(archive, branch, request, contentChecksum, digest);
    if (head?.contentChecksum === contentChecksum && head.manifest === digest && head.endOfLife === undefined) {
      unchanged.push(head);
      continue;
    }
    const metadata = releaseMetadata({ ...request, manifest: digest }, branch);
    const { subject = subjectOf(request), body, timestamp } = request;
    const commit: Commit = { metadata, parent: head?.commit, subject, body, timestamp, tree, treeMeta };
    commits.push(await commitOf(change, branch, commit, manifest, made));
  }
  return { manifest, commits, unchanged };
}

/** Puts a commit into a change. */
export async function commitOf(
  change: RepositoryChange,
  branch: string,
  commit: Commit,
  manifest: Manifest | undefined,
  maker: Maker,
): Promise<PreparedCommit> {
  const bytes = encodeCommit(commit);
  const checksum = await change.putMetadata("commit", bytes);
  const statement = manifest && statementOf({ ...maker, commit: checksum, branch, manifest });
  return { branch, commit: checksum, bytes, parent: commit.parent, statement };
}

function manifestOf(request: ReleaseRequest, content: Manifest["content"]): Manifest {
  const { title, version, artifact, origins, metadata, attachments } = request;
  const described = attachments.map(({ name, kind, mediaType, sha256, size }) => ({
    name,
    kind,
    mediaType,
    sha256,
    size,
  }));
  return {
    manifestVersion: 1,
    ...{ title: title ?? null, version: version ?? null, content, artifact: artifact ?? null },
    ...{ sources: origins.sources, dependencies: origins.dependencies, metadata, attachments: described },
  };
}

/** The newest release of a branch. Errors: `exists` where the branch has the version already, of something else, or had it before another. */
async function headFor(
  archive: ArchiveRepository,
  branch: string,
  { version, force }: ReleaseRequest,
  content: string,
  manifest: string,
): Promise<ReleaseRecord | undefined> {
  let head: ReleaseRecord | undefined;
  for await (const record of historyOf(archive, branch)) {
    head ??= record;
    if (version === undefined || force) break;
    if (record.version !== version) continue;
    if (record.contentChecksum === content && record.manifest === manifest) {
      if (head.contentChecksum === content && head.manifest === manifest) break;
      throw new StillageError(
        "exists",
        `${branch} had the version ${version} before what it has now: ${record.commit}`,
        {
          hint: `\`stillage release rollback ${branch} --to ${record.commit.slice(0, 12)}\` brings it back; --force makes it once more`,
        },
      );
    }
    const other = record.contentChecksum === content ? "another manifest" : "other content";
    throw new StillageError("exists", `${branch} has the version ${version} already, with ${other}: ${record.commit}`, {
      hint: "give this release a version of its own, or say --force",
    });
  }
  return head;
}

function subjectOf({ title, version, artifact }: ReleaseRequest): string {
  const name = title ?? artifact?.element ?? "Release";
  return version === undefined ? name : `${name} ${version}`;
}
