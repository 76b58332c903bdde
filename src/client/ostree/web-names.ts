import { StillageError } from "../../base/errors.ts";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import { gather } from "../../ostree/archive/put-foreign.ts";
import { maxMetadataBytes } from "../../ostree/metadata-limit.ts";
import { type Checksum, isChecksum } from "../../ostree/object-name.ts";
import { isRefName } from "../../ostree/ref-name.ts";
import { decodeSummary } from "../../ostree/summary.ts";
import type { CommitNames } from "./commit-index.ts";
import { NamedCommits, refsOf } from "./named-commits.ts";

/** Bytes of a ref's file that are read: a checksum and the end of the line. */
const maxRefBytes = 128;

/** The refs of a repository that is pulled from a web server. */
export interface WebNames extends CommitNames {
  /** Has a name lead to a commit that was pushed from here: the summary does not say so yet. */
  note(ref: string, commit: Checksum): void;
  /** Where a ref leads, as far as it is known here. */
  get(ref: string): Checksum | undefined;
}

/** Reads the summary of a repository; `undefined` where it has none. Errors: `invalid` for what is none; those of the source. */
export async function readSummary(source: ObjectSource): Promise<Uint8Array | undefined> {
  const content = await source.get("summary", maxMetadataBytes);
  return content && gather(content, maxMetadataBytes);
}

/**
 * The refs that a summary lists, as BuildStream's clients know them. What it does not list is asked for by its name: others may have pushed since, and the summaries of
 * web servers are as old as the last run of `ostree summary`. Memory: some 200 bytes for each ref of at most 10 MiB. Errors: `invalid`.
 */
export function webNames(source: ObjectSource, summary: Uint8Array): WebNames {
  const { refs } = decodeSummary(summary);
  const usable = refs.filter(({ name }) => isRefName(name));
  const commits = new NamedCommits(usable.map(({ name, commit }) => [name, commit]));
  const sizes = new Map(usable.map(({ commit, commitBytes }) => [commit, commitBytes]));
  return {
    near: false,
    async find(question, signal) {
      const listed = commits.find(question);
      if (listed !== undefined) return listed;
      for (const ref of refsOf(question)) {
        signal.throwIfAborted();
        const commit = isRefName(ref) ? await readRef(source, ref) : undefined;
        if (commit === undefined) continue;
        commits.set(ref, commit);
        return commits.find(question);
      }
      return undefined;
    },
    list: async (globs) => commits.list(globs),
    sizeOf: (commit) => sizes.get(commit),
    note: (ref, commit) => commits.set(ref, commit),
    get: (ref) => commits.get(ref),
  };
}

/** Where a ref leads now; `undefined` where it does not, and where a server gives something else for whatever it is asked. */
async function readRef(source: ObjectSource, ref: string): Promise<Checksum | undefined> {
  try {
    const content = await source.get(`refs/heads/${ref}`, maxRefBytes);
    const text = content && Buffer.from(await gather(content, maxRefBytes)).toString("latin1");
    const commit = text?.trimEnd() ?? "";
    return isChecksum(commit) ? commit : undefined;
  } catch (error) {
    if (error instanceof StillageError && error.code === "invalid") return undefined;
    throw error;
  }
}
