import type { Command } from "commander";
import { StillageError } from "../base/errors.ts";
import { readAccessFile } from "../config/access.ts";
import type { Config } from "../config/config.ts";
import { artifactReceiveFlags } from "../receive/artifact-receive-flags.ts";
import { loginCommand, noSuchProgram } from "../receive/login-command.ts";
import { ostreeReceive } from "../receive/ostree-receive.ts";
import { Publisher } from "../receive/publisher.ts";
import { SshSession } from "../receive/ssh-session.ts";
import { openSigning } from "../release/signing.ts";
import { pullUrlOf, runBstArtifactReceive } from "./bst-artifact-receive.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { publicly } from "./file-masks.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { releaseOverSsh } from "./receive-release.ts";
import { addSettings, loadSettingsAndAccess } from "./setting-options.ts";
import { storeText } from "./store-of.ts";
import { version } from "./version.ts";

interface Options {
  readonly as: string;
  readonly pullUrl?: string;
  readonly instance: string;
}

/** `stillage receive`: what sshd runs for somebody whose key may publish, whatever he asks for. */
export function receiveCommand(end: (status: number) => void): Command {
  const command = newCommand("receive", "stillage")
    .description("Serve one session of somebody who logged in over ssh to publish; sshd runs it")
    .requiredOption("--as <NAME>", "Who has the key: `who: { ssh: NAME }` of the access file")
    .option("--store <DIR>", storeText("its server has to be running for pushes of BuildStream 1.0"))
    .option("--pull-url <URL>", "Where BuildStream 1.0 is told to pull what it has pushed", pullUrlOf)
    .option("--instance <NAME>", "The instance name that BuildStream 1.0 pushes to", "");
  addUse(command, {
    notes: [
      "A line of authorized_keys for somebody who may publish (docs/RELEASES.md):",
      'restrict,port-forwarding,permitlisten="localhost:*",permitopen="none.invalid:1",command="stillage receive --releases DIR --as NAME" ssh-ed25519 AAAA…',
    ],
    see: "docs/RELEASES.md",
    examples: [
      {
        says: "As sshd runs it for the key of somebody called alice",
        run: "stillage receive --as alice --store /srv/cache --releases /srv/releases --pull-url https://cache.example.org/ostree/",
      },
    ],
  });
  return addSettings(command, ["access", "releases"]).action(async () => {
    const loaded = loadSettingsAndAccess(command);
    if (loaded === undefined) return end(exitStatus.failed);
    const work = async (signal: AbortSignal): Promise<number> => {
      using session = new SshSession(signal);
      // Nobody reads any more.
      process.stderr.on("error", () => session.end());
      // The commands that serve it end as they do when they are stopped. A second signal would end them at once.
      const stop = (): void => void (signal.aborted || process.kill(process.pid, "SIGTERM"));
      session.signal.addEventListener("abort", stop, { once: true });
      return await serveSession(command.opts<Options>(), loaded.config, session);
    };
    const status = await interruptible(work, "the session was ended");
    // What somebody far away got wrong is no wrong usage of this command.
    end(status === exitStatus.usage ? exitStatus.failed : status);
  });
}

async function serveSession(options: Options, config: Config, ssh: SshSession): Promise<number> {
  const asked = loginCommand(process.env.SSH_ORIGINAL_COMMAND);
  if (asked === undefined) {
    process.stderr.write("stillage: there is another version of that program here\n");
    return noSuchProgram;
  }
  if (asked.program === "bst-artifact-receive") {
    return runBstArtifactReceive(artifactArgs(options, config, artifactReceiveFlags(asked.args)));
  }
  const publisher = (): Publisher => new Publisher(options.as, rulesOf(config));
  const releases = releasesOf(config);
  process.umask(publicly);
  if (asked.program === "release")
    return releaseOverSsh(asked.args, { publisher: publisher(), releases, store: config.store });
  return ostreeReceive(asked.args, { publisher, releases, signing: openSigning, version, session: ssh });
}

/** Errors: `failed-precondition`. */
function artifactArgs({ as, pullUrl, instance }: Options, { store }: Config, flags: readonly string[]): string[] {
  if (pullUrl !== undefined) return [...flags, "--as", as, "--instance", instance, "--pull-url", pullUrl, "--", store];
  throw new StillageError("failed-precondition", "this account is not for pushes of BuildStream 1.0", {
    hint: "its operator says with --pull-url where clients pull them",
  });
}

/** As the access file says now; `undefined` where everybody may do everything. */
function rulesOf({ access }: Config) {
  if (access === undefined) return undefined;
  const read = readAccessFile(access, "--access");
  // What is wrong in it was said when the settings were loaded.
  if (!("rules" in read)) throw new StillageError("aborted", `${access} has just been changed; try again`);
  return read.rules;
}

function releasesOf({ releases }: Config): string {
  if (releases !== undefined) return releases;
  throw new StillageError("failed-precondition", "there are no release repositories here", {
    hint: "the server's operator names their directory with --releases DIR, or releases: in the configuration",
  });
}
