import type { Command } from "commander";
import { StillageError } from "../base/errors.ts";
import { readAccessFile } from "../config/access.ts";
import type { Config } from "../config/config.ts";
import { loginCommand, noSuchProgram } from "../receive/login-command.ts";
import { ostreeReceive } from "../receive/ostree-receive.ts";
import { Publisher } from "../receive/publisher.ts";
import { exitStatus } from "./exit-status.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { addSettings, loadSettingsAndAccess } from "./setting-options.ts";
import { version } from "./version.ts";

const help = `
The line of authorized_keys for somebody who may publish (docs/RELEASES.md):
restrict,port-forwarding,permitlisten="localhost:*",command="stillage receive --releases DIR --as NAME" ssh-ed25519 AAAA…

Exit status: that of the program; 127 for a version of a program that is not here.`;

/** `stillage receive`: what sshd runs for somebody whose key may publish, whatever he asks for. */
export function receiveCommand(end: (status: number) => void): Command {
  const command = newCommand("receive", "stillage")
    .description("Serve one session of somebody who logged in over ssh to publish; sshd runs it")
    .requiredOption("--as <NAME>", "Who has the key, for rights and logs");
  return addSettings(command, ["access", "releases"])
    .addHelpText("after", help)
    .action(async () => {
      // Whoever reads may go while we write: what is under way has its own ways to notice.
      process.stderr.on("error", () => {});
      const loaded = loadSettingsAndAccess(command);
      if (loaded === undefined) return end(exitStatus.failed);
      const name: string = command.getOptionValue("as");
      const work = (signal: AbortSignal): Promise<number> => serveSession(name, loaded.config, signal);
      const status = await interruptible(work, "the session was ended");
      end(status === exitStatus.usage ? exitStatus.failed : status);
    });
}

async function serveSession(name: string, config: Config, signal: AbortSignal): Promise<number> {
  const asked = loginCommand(process.env.SSH_ORIGINAL_COMMAND);
  if (asked === undefined) {
    process.stderr.write("stillage: there is another version of that program here\n");
    return noSuchProgram;
  }
  const publisher = new Publisher(name, rulesOf(config));
  switch (asked.program) {
    case "ostree-receive":
      return ostreeReceive(asked.args, { releases: releasesOf(config), publisher, version, signal });
    case "bst-artifact-receive":
    case "release":
      throw new StillageError("unsupported", "this is not there yet");
  }
}

/** As the file says now; `undefined` where everybody may everything. */
function rulesOf({ access }: Config) {
  if (access === undefined) return undefined;
  const read = readAccessFile(access, "--access");
  // What is wrong in it was said when the settings were loaded.
  if (!("rules" in read)) throw new StillageError("aborted", `${access} has just been changed; try again`);
  return read.rules;
}

function releasesOf({ releases }: Config): string {
  if (releases !== undefined) return releases;
  throw new StillageError("failed-precondition", "no directory of release repositories is named", {
    hint: "the server's operator names it with --releases DIR, or releases: in the configuration",
  });
}
