import { statfs } from "node:fs/promises";
import { systemClock } from "../base/clock.ts";
import { asStillageError, StillageError } from "../base/errors.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { httpSource } from "../ostree/archive/http-source.ts";
import { type PullProgress, pullCommits } from "../ostree/archive/pull.ts";
import { withdrawObjects } from "../ostree/archive/withdraw-objects.ts";
import type { ReleaseSigning } from "../release/prepared.ts";
import { writePrepared } from "../release/prepared-files.ts";
import { publishOrDrop } from "../release/publish.ts";
import { checkBranch } from "../release/release-names.ts";
import { openReleaseRepository, type ReleaseRepository } from "../release/release-repository.ts";
import { ReleaseWriter, type WriterOptions } from "../release/release-writer.ts";
import { BoundedSource } from "./bounded-source.ts";
import type { Notes } from "./notes.ts";
import type { ReceiveRequest } from "./ostree-receive-arguments.ts";
import { checkPortOwner } from "./port-owner.ts";
import type { Publisher } from "./publisher.ts";
import { pushedBranches } from "./pushed-branches.ts";
import { repositoryNamed } from "./repository-named.ts";
import type { SshSession } from "./ssh-session.ts";
import { type PushedBranch, takeOver } from "./take-over.ts";
import { wantedBranches } from "./wanted-branches.ts";

/** Before something is asked for again: a tunnel that is broken does not come back. */
const pauseMs = 20;

/** Branches that one push moves: each is a commit that is signed. */
const maxMoved = 1000;

export interface ReceiveOptions {
  /** The directory of all release repositories. */
  readonly releases: string;
  /** Who pushes, with the rights that he has at that moment. */
  readonly publisher: () => Publisher;
  /** Gives what signs in a repository. */
  readonly signing: (repository: ReleaseRepository) => Promise<ReleaseSigning>;
  readonly notes: Notes;
  /** Of whoever pushes. */
  readonly session: Pick<SshSession, "signal" | "check">;
}

/**
 * Takes branches of a pusher's repository over into a release repository: pulls what is new of them, all of it verified, and publishes commits of its own, signed with the
 * repository's keys, as `ostree-receive` does. Gives the branches that moved, or would have.
 *
 * What the pusher's summary says counts as it was when the session had just begun: who has the pusher's port after him can at most bring the objects that it names. Until all
 * of them are here they are in a change's own directory, beside what others publish: a push that breaks off leaves nothing, and what a crash leaves the next change
 * removes. Then it is this push's turn, and it is a release that was prepared: see `publishPrepared`. What is refused then, by a check for one, is taken out again.
 *
 * Errors: `forbidden` and `not-found` before anything is written; `invalid` for what is no such repository or not what its names say, `exhausted` and
 * `deadline` beyond the limits, `unavailable` where the pusher is gone.
 */
export async function receiveBranches(request: ReceiveRequest, options: ReceiveOptions): Promise<readonly string[]> {
  const { releases, notes, session } = options;
  const name = repositoryNamed(request.repository, releases);
  const publisher = options.publisher();
  publisher.checkRepository(name);
  publisher.checkBranches(name, request.refs.map(checkBranch));
  const repository = openReleaseRepository(releases, name);
  const archive = await ArchiveRepository.open(repository.layout.archive);
  await checkPortOwner(request.port);
  const url = `http://127.0.0.1:${request.port}`;
  const bounds = { limits: repository.settings.receive, freeBytes: () => freeBytes(archive.directory) };
  using source = new BoundedSource((ends) => httpSource(url, { signal: ends }), { ...bounds, signal: session.signal });
  const { signal } = source;
  const pushed = await pushedBranches(source);
  // As long as he is there the port is his, and was when the summary came by it.
  session.check();
  const moving = async (branches: readonly string[]): Promise<PushedBranch[]> => {
    const heads = await archive.refs();
    return branches.flatMap((branch) => {
      const [commit, head] = [pushed.get(branch), heads.get(branch)?.commit];
      return commit === undefined || (commit === head && !request.force) ? [] : [{ branch, commit, head }];
    });
  };
  const fresh = await moving(wantedBranches(request.refs, pushed));
  publisher.checkBranches(
    name,
    fresh.map(({ branch }) => checkBranch(branch)),
  );
  if (fresh.length > maxMoved) {
    throw new StillageError("exhausted", `${fresh.length} branches are more than one push may move (${maxMoved})`, {
      hint: "push some of them at a time",
    });
  }
  await using change = await archive.beginBeside();
  const onProgress = ({ pending }: PullProgress): void => source.checkPending(pending);
  const missing = new Set(fresh.map(({ commit }) => commit));
  await pullCommits(change, source, missing, { signal, pauseMs, onProgress }).catch((error: unknown) => {
    // What ended the push says more than what it broke.
    signal.throwIfAborted();
    throw error;
  });
  notes.say(`${source.objects} new objects, ${source.bytes} bytes`);
  // Nothing more is wanted of the pusher, so it is nothing bad that nothing comes.
  source[Symbol.dispose]();
  const waits = !request.dryRun && fresh.length > 0;
  using writer = waits ? await openWriter(repository, options) : undefined;
  if (writer !== undefined) await change.joinAlone(missing, { signal: session.signal });
  // Others may have published since.
  const current = await moving(fresh.map(({ branch }) => branch));
  const commits = await takeOver(change, current, { force: request.force, notes });
  if (commits.length === 0) notes.say("there is nothing to publish");
  if (request.dryRun) for (const { branch, commit } of commits) notes.say(`${branch} would be at ${commit}`);
  if (writer === undefined || commits.length === 0) return commits.map(({ branch }) => branch);
  session.check();
  // To pull may have taken hours.
  options.publisher().checkBranches(
    name,
    commits.map(({ branch }) => branch),
  );
  const refs = await archive.refs();
  await change.publish();
  try {
    const release = { made: systemClock(), kept: false, commits, manifest: undefined, attachments: [] };
    await publishOrDrop(writer, await writePrepared(repository.layout, release));
  } catch (error) {
    await withdrawObjects(archive, change.placed, refs).catch((cause: unknown) => {
      notes.warn(`what was refused is still among the objects of ${name}: ${asStillageError(cause).message}`);
    });
    throw error;
  }
  for (const { branch, commit } of commits) notes.say(`${branch} is at ${commit}`);
  return commits.map(({ branch }) => branch);
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** The repository to oneself; whoever has to wait for it is told so. */
async function openWriter(
  repository: ReleaseRepository,
  { signing, notes, session: { signal } }: ReceiveOptions,
): Promise<ReleaseWriter> {
  const warn = (sentence: string): void => notes.warn(sentence);
  const options: WriterOptions = { signing: await signing(repository), versions: {}, signal, warn };
  try {
    return await ReleaseWriter.open(repository, { ...options, waitMs: 0 });
  } catch (error) {
    if (!(error instanceof StillageError) || error.code !== "unavailable") throw error;
    notes.warn(`somebody else is publishing in ${repository.name}: waiting until that is done`);
    return ReleaseWriter.open(repository, { ...options, waitMs: repository.settings.receive.timeMs });
  }
}
