import { join } from "node:path";
import type { PreparedCommit } from "./prepared.ts";
import { readRecord } from "./release-record.ts";
import { type ReleaseRepository, releaseFiles } from "./release-repository.ts";

/** What checks and hooks are told: in their environment, and as JSON on their standard input. */
export interface ReleaseEvent {
  readonly environment: Readonly<Record<string, string>>;
  readonly json: string;
}

/** A branch that is to be moved, or was. */
export interface MovedBranch {
  readonly branch: string;
  readonly commit: string;
  readonly parent: string | undefined;
}

export type EventName = "release.check" | "release.published";

/** What is told of some branches. `beside` gives the directory with a commit's manifest. */
export function releaseEvent(
  event: EventName,
  { name, layout, settings }: ReleaseRepository,
  moved: readonly (MovedBranch & Partial<Pick<PreparedCommit, "bytes">>)[],
  beside: (commit: string) => string,
): ReleaseEvent {
  const releases = moved.map(({ branch, commit, parent, bytes }) => {
    const record = bytes && readRecord(branch, commit, bytes);
    const manifest = record?.manifest === undefined ? null : join(beside(commit), releaseFiles.manifest);
    return {
      ...{ branch, commit, parent: parent ?? null, manifest },
      ...{ version: record?.version ?? null, title: record?.title ?? null, subject: record?.subject ?? null },
      ...{ contentChecksum: record?.contentChecksum ?? null, artifact: record?.artifact ?? null },
    };
  });
  const [first] = releases;
  const environment = {
    STILLAGE_EVENT: event,
    STILLAGE_REPOSITORY: name,
    STILLAGE_PUBLIC: layout.public,
    STILLAGE_OSTREE_REPO: layout.archive,
    STILLAGE_URL: settings.url ?? "",
    STILLAGE_BRANCHES: releases.map(({ branch }) => branch).join(" "),
    STILLAGE_COMMITS: releases.map(({ commit }) => commit).join(" "),
    STILLAGE_BRANCH: first?.branch ?? "",
    STILLAGE_COMMIT: first?.commit ?? "",
    STILLAGE_VERSION: first?.version ?? "",
    STILLAGE_MANIFEST: first?.manifest ?? "",
    // What hooks of ostree-receive know it by.
    OSTREE_RECEIVE_REPO: layout.archive,
    OSTREE_RECEIVE_REFS: releases.map(({ branch }) => branch).join(" "),
  };
  const told = { event, repository: name, url: settings.url ?? null, archive: layout.archive, releases };
  return { environment, json: `${JSON.stringify(told)}\n` };
}
