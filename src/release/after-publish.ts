import { type MovedBranch, releaseEvent } from "./release-event.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { runLine } from "./shell-lines.ts";

/**
 * What follows once branches have moved, whoever moved them: the page, the list, and the hooks. The branches stay moved whatever becomes of that: what goes
 * wrong is a warning.
 */
export async function afterPublish(writer: ReleaseWriter, moved: readonly MovedBranch[]): Promise<void> {
  const { repository, archive, options } = writer;
  const { layout, settings } = repository;
  await writer.tryPage();
  if (settings.hooks.length === 0) return;
  const withBytes = await Promise.all(
    moved.map(async ({ branch, commit, parent }) => {
      const bytes = await archive.readMetadata(commit, "commit");
      return { branch, commit, parent, ...(bytes === undefined ? {} : { bytes }) };
    }),
  );
  const event = releaseEvent("release.published", repository, withBytes, (commit) => layout.release(commit));
  for (const line of settings.hooks) {
    const { failure, output } = await runLine(line, {
      directory: layout.directory,
      environment: event.environment,
      input: event.json,
      timeoutMs: settings.commandTimeoutMs,
    });
    if (failure === undefined) continue;
    options.warn(`the release stands, but the hook \`${line}\` ${failure}${output === "" ? "" : `: ${output}`}`);
  }
}
