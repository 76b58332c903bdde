import { openCatalogue } from "../client/store-place.ts";
import type { Publisher } from "../receive/publisher.ts";
import { releaseAsked } from "../receive/release-arguments.ts";
import { repositoryNamed } from "../receive/repository-named.ts";
import { exitStatus } from "./exit-status.ts";
import { runCommand } from "./new-command.ts";
import { releaseCommand } from "./release.ts";
import { repositoryMeant } from "./release-options.ts";

/** What the operator has said on the line that lets somebody in. */
export interface ReleaseSession {
  readonly publisher: Publisher;
  readonly releases: string;
  readonly store: string;
}

/**
 * `stillage release …` for somebody who logged in over ssh: the commands and flags that are his to use, on the branches that are his, by the very commands of the shell.
 * Gives the exit status. Errors: `invalid`, `not-found`, `forbidden`.
 */
export function releaseOverSsh(
  args: readonly string[],
  { publisher, releases, store }: ReleaseSession,
): Promise<number> {
  const asked = releaseAsked(args);
  const named = asked.repository === undefined ? undefined : repositoryNamed(asked.repository, releases);
  if (named !== undefined) publisher.checkRepository(named);
  const { name } = repositoryMeant(releases, named);
  publisher.checkRepository(name);
  publisher.checkBranches(name, asked.branches);
  const own = [`--releases=${releases}`, `--repository=${name}`];
  if (asked.readsStore) {
    using opened = openCatalogue(store, asked.instance);
    publisher.checkInstance(opened.catalogue.instance);
    own.push(`--store=${store}`);
  }
  let status: number = exitStatus.usage;
  const release = releaseCommand((result) => {
    status = result;
  });
  return runCommand(release, [asked.command, ...own, ...asked.args], () => status);
}
