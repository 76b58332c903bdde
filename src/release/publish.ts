import { StillageError } from "../base/errors.ts";
import { afterPublish } from "./after-publish.ts";
import { writeBeside } from "./beside-files.ts";
import { type Composed, composeRelease, type ReleaseRequest } from "./compose.ts";
import { headOf } from "./history.ts";
import type { PreparedRelease, SignedCommit } from "./prepared.ts";
import { removePrepared, writePrepared } from "./prepared-files.ts";
import { releaseEvent } from "./release-event.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { type LineOptions, runChecks } from "./shell-lines.ts";

/** What a request came to, before anything is published. */
export interface Preparation extends Composed {
  /** `undefined` where no branch would change, and where nothing was to be written. */
  readonly prepared: PreparedRelease | undefined;
}

export interface PrepareOptions {
  /** Leave it to be signed elsewhere. */
  readonly keep: boolean;
  /** Write nothing. */
  readonly dryRun: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Makes a release that no branch leads to. Objects come first, then `prepared/ID/`: a crash before that leaves objects that nothing uses, which the next
 * release with the same content takes up, and `release prune` removes.
 */
export async function prepareRelease(
  writer: ReleaseWriter,
  request: ReleaseRequest,
  { keep, dryRun, now }: PrepareOptions,
): Promise<Preparation> {
  const { archive, repository } = writer;
  const change = await archive.begin();
  let composed: Composed;
  try {
    composed = await composeRelease(archive, change, request, writer);
    if (dryRun || composed.commits.length === 0) {
      await change.abort();
      return { ...composed, prepared: undefined };
    }
    await change.publish({});
  } catch (error) {
    await change.abort();
    throw error;
  }
  const { commits, manifest } = composed;
  const { attachments } = request;
  const prepared = await writePrepared(repository.layout, { made: now, kept: keep, commits, manifest, attachments });
  return { ...composed, prepared };
}

/**
 * Publishes what was prepared: checks, signatures, files beside the repository, then signatures, branches and summary in one change, then the page, then hooks.
 * All branches move or none. A crash before the branches move leaves them where they were; one after it, a page that is older than they are, which whoever
 * writes next makes anew, and hooks that did not run. Errors: `failed-precondition` where a check refuses, or a branch is not where it was.
 */
export async function publishPrepared(
  writer: ReleaseWriter,
  prepared: PreparedRelease,
  signed?: readonly SignedCommit[],
): Promise<void> {
  const { archive, repository, options } = writer;
  if (await isPublished(writer, prepared)) {
    await writer.refreshPage();
    return removePrepared(prepared);
  }
  for (const { branch, parent } of prepared.commits) await checkParent(writer, branch, parent);
  await check(writer, prepared);
  const signatures = signed ?? (await options.signing.sign(prepared));
  if (signatures.every(({ detached }) => detached === undefined)) {
    options.warn("nobody signs this release; signers go into repository.yaml (docs/RELEASES.md, Signing)");
  }
  await writeBeside(repository.layout, prepared, signatures);
  const change = await archive.begin();
  try {
    for (const { branch, commit } of prepared.commits) {
      const detached = signatures.find((each) => each.commit === commit)?.detached;
      if (detached !== undefined) change.setDetached(commit, detached);
      change.setRef(branch, commit);
    }
    await writer.mark();
    const time = await options.signing.summaryTime();
    await change.publish({
      signSummary: (summary) => options.signing.signSummary(summary),
      ...(time !== undefined && { clock: () => time * 1000 }),
    });
  } catch (error) {
    await change.abort();
    throw error;
  }
  await afterPublish(writer, prepared.commits);
  await removePrepared(prepared);
}

/** Prepares and publishes in one go; nothing prepared is left, whatever comes of it, but what was prepared to be signed before. */
export async function createRelease(
  writer: ReleaseWriter,
  request: ReleaseRequest,
  options: Omit<PrepareOptions, "keep">,
): Promise<Preparation> {
  const preparation = await prepareRelease(writer, request, { ...options, keep: false });
  if (preparation.prepared !== undefined) await publishOrDrop(writer, preparation.prepared);
  return preparation;
}

/** Publishes what was made just now; what cannot be is gone, unless somebody is to sign it. */
export async function publishOrDrop(writer: ReleaseWriter, prepared: PreparedRelease): Promise<void> {
  try {
    await publishPrepared(writer, prepared);
  } catch (error) {
    if (!prepared.kept) await removePrepared(prepared);
    throw error;
  }
}

/** Whether all branches are where this release would move them: whoever published it was killed then. */
async function isPublished({ archive }: ReleaseWriter, { commits }: PreparedRelease): Promise<boolean> {
  for (const { branch, commit } of commits) if ((await archive.ref(branch)) !== commit) return false;
  return true;
}

async function checkParent({ archive }: ReleaseWriter, branch: string, parent: string | undefined): Promise<void> {
  const head = await headOf(archive, branch);
  if (head?.commit === parent) return;
  throw new StillageError("failed-precondition", `the branch ${branch} has moved since this release was prepared`, {
    hint: `it is at ${head?.commit ?? "nothing"} now, and was at ${parent ?? "nothing"}: prepare the release again`,
  });
}

async function check({ repository, options }: ReleaseWriter, prepared: PreparedRelease): Promise<void> {
  const { layout, settings } = repository;
  const event = releaseEvent("release.check", repository, prepared.commits, () => prepared.directory);
  const lines: LineOptions = {
    directory: layout.directory,
    environment: event.environment,
    input: event.json,
    timeoutMs: settings.commandTimeoutMs,
    signal: options.signal,
  };
  await runChecks(settings.checks, lines);
}
