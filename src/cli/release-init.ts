import { resolve } from "node:path";
import type { Command } from "commander";
import { initReleaseRepository } from "../release/init-repository.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { addReleasesFlags, type ReleaseFlags, withReleases } from "./release-options.ts";
import { repeated } from "./repeated.ts";

interface Flags extends ReleaseFlags {
  readonly title?: string;
  readonly description?: string;
  readonly url?: string;
  readonly builder?: string;
  readonly gpg?: readonly string[];
  readonly gpgHome?: string;
  readonly ed25519?: readonly string[];
  readonly check?: readonly string[];
  readonly hook?: readonly string[];
  readonly commandTimeout?: string;
  readonly keep?: string;
}

/** `stillage release init NAME`. */
export function releaseInitCommand(end: (status: number) => void): Command {
  const command = newCommand("init", "stillage")
    .description("Make a release repository")
    .argument("<NAME>", "Its name, which is a directory and a part of its URL")
    .option("--title <TEXT>", "What people see (default: the name)")
    .option("--description <TEXT>", "What it is for")
    .option("--url <URL>", "Where people find its public directory, for the commands that the page shows")
    .option("--builder <URI>", "Who builds what is released here, as provenance says it")
    .option("--gpg <KEY>", "Sign with this key of GnuPG; can be repeated", repeated)
    .option("--gpg-home <DIR>", "GnuPG's directory with those keys (default: the user's)")
    .option("--ed25519 <FILE>", "Sign with this Ed25519 secret key; can be repeated", repeated)
    .option(
      "--check <LINE>",
      "A line for the shell that has to end well before anything is published; can be repeated",
      repeated,
    )
    .option("--hook <LINE>", "A line for the shell that is run after publishing; can be repeated", repeated)
    .option("--command-timeout <TIME>", "How long each of those may take (default: 10m)")
    .option("--keep <RULE>", "What `release prune` leaves: all, `last N` or `younger than TIME` (default: all)");
  addUse(command, {
    examples: [
      {
        says: "A repository whose releases a key of GnuPG signs",
        run: "stillage release init images --title Images --url https://example.org/releases/images --gpg release@example.org",
      },
    ],
  });
  return addReleasesFlags(command).action(async (name: string) => {
    const flags = command.opts<Flags>();
    const work = withReleases(flags, async ({ releases, output }) => {
      const { repository } = await initReleaseRepository(releases, name, settingsOf(name, flags));
      const { directory, settings } = repository.layout;
      if (flags.json) await output.write(`${JSON.stringify({ name, directory, settings }, undefined, 2)}\n`);
      else await output.write(`${directory}: a release repository; ${settings} says how it works\n`);
      return exitStatus.done;
    });
    end(await work);
  });
}

/** What `repository.yaml` is to say, key by key. */
function settingsOf(name: string, flags: Flags): Record<string, unknown> {
  const {
    title = name,
    description,
    url,
    builder,
    gpg = [],
    gpgHome,
    ed25519 = [],
    check,
    hook,
    commandTimeout,
    keep,
  } = flags;
  const signers = [
    ...gpg.map((key) => ({ gpg: key, ...(gpgHome === undefined ? {} : { home: resolve(gpgHome) }) })),
    ...ed25519.map((file) => ({ ed25519: resolve(file) })),
  ];
  const given = {
    ...{ title, description, url, builder },
    signers: signers.length === 0 ? undefined : signers,
    ...{ checks: check, hooks: hook, "command-timeout": commandTimeout, keep },
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
