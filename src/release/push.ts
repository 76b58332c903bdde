import type { PushDestination } from "../ssh/push-destination.ts";
import { SshConnection, shellQuoted } from "../ssh/ssh-connection.ts";
import { serveArchive } from "./archive-server.ts";

export interface PushOptions {
  /** Further options of the `ssh` program. */
  readonly ssh: readonly string[];
  /** Only say what would be done. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/**
 * Publishes branches of an archive repository in the OSTree repository of another machine, by the protocol of `ostree-push` 0.1.1 and later: the other side's
 * `ostree-receive` pulls them from here through the connection that we make, checks them, and makes commits of its own. Gives its exit status; what it says goes to our
 * output. However this ends, nothing is left behind here, and what the other side has is its receiver's affair.
 * Errors: `unavailable`, `failed-precondition`, and the signal's reason.
 */
export async function pushBranches(
  archive: string,
  branches: readonly string[],
  destination: PushDestination,
  { ssh, dryRun, signal }: PushOptions,
): Promise<number> {
  await using server = await serveArchive(archive);
  await using connection = await SshConnection.open(destination, { options: ssh, signal });
  const port = await connection.forwardBack(server.port);
  const words = [...(dryRun ? ["-n"] : []), destination.path, `http://127.0.0.1:${port}`, ...branches];
  return await connection.run(["ostree-receive", ...words.map(shellQuoted)]);
}
