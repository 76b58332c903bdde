import type { Command } from "commander";
import { pullNamed } from "../client/library/named-transfers.ts";
import { localName } from "../client/named-place.ts";
import { addClientOptions } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { nameText, placeText } from "./name-texts.ts";
import { newCommand } from "./new-command.ts";
import { repeated } from "./repeated.ts";
import { addJsonOption, runTransfer, type TransferFlags } from "./transfer-command.ts";

interface Flags extends TransferFlags {
  readonly from?: readonly string[];
  readonly to?: string;
  readonly buildtrees?: true;
}

/** `stillage artifact pull NAME…`. */
export function artifactPullCommand(end: (status: number) => void): Command {
  const command = newCommand("pull", "stillage")
    .description("Pull artifacts from remotes, each from the first that has it")
    .argument("<NAME...>", nameText)
    .option(
      "--from <PLACE>",
      `Where to pull from: ${placeText}. Can be repeated. (default: the configured remotes)`,
      repeated,
    )
    .option("--to <PLACE>", "Where to pull to: the same kinds of places", localName)
    .option("--buildtrees", "Pull build trees, sources and build roots as well, where a remote has them");
  return addUse(addJsonOption(addClientOptions(command)), {
    notes: ["What is pulled into the local cache, BuildStream has: it is its own cache."],
    examples: [
      { says: "The artifact of an element of the project at hand", run: "stillage artifact pull app.bst" },
      {
        says: "All of a project that a server has",
        run: "stillage artifact pull 'harbour/*' --from https://cache.example.org:11001",
      },
      {
        says: "One artifact, into a file that is carried elsewhere",
        run: "stillage artifact pull 'harbour/app/4be2*' --to app.tar",
      },
    ],
    statuses: { failed: "something failed or was not found, or it was stopped" },
    see: "docs/CLIENT.md",
  }).action(async (names: readonly string[], flags: Flags) => {
    const words = { done: "pulled", way: "from" } as const;
    const { from, to = localName, buildtrees } = flags;
    const ends = { from, to, optional: buildtrees ? "those-there" : "none" } as const;
    end(await runTransfer(flags, { words, purpose: "pull" }, (context) => pullNamed(names, ends, context)));
  });
}
