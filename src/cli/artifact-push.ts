import type { Command } from "commander";
import { pushNamed } from "../client/library/named-transfers.ts";
import { localName } from "../client/named-place.ts";
import { addClientOptions } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { nameText, placeText } from "./name-texts.ts";
import { newCommand } from "./new-command.ts";
import { repeated } from "./repeated.ts";
import { addJsonOption, runTransfer, type TransferFlags } from "./transfer-command.ts";

interface Flags extends TransferFlags {
  readonly to?: readonly string[];
  readonly from?: string;
}

/** `stillage artifact push NAME…`. */
export function artifactPushCommand(end: (status: number) => void): Command {
  const command = newCommand("push", "stillage")
    .description("Push artifacts to all remotes that are configured for it")
    .argument("<NAME...>", nameText)
    .option(
      "--to <PLACE>",
      `Where to push to: ${placeText}. Can be repeated. (default: the remotes with push)`,
      repeated,
    )
    .option("--from <PLACE>", "Where they are: the same kinds of places", localName);
  return addUse(addJsonOption(addClientOptions(command)), {
    notes: [
      "An artifact goes to every remote that is configured with push; build trees and sources go along where they are here.",
    ],
    examples: [
      { says: "The artifact of an element of the project at hand", run: "stillage artifact push app.bst" },
      {
        says: "All of a project that is in the local cache, to one server",
        run: "stillage artifact push 'harbour/*' --to https://cache.example.org:11002",
      },
      { says: "What somebody brought in a file", run: "stillage artifact push 'harbour/*' --from app.tar" },
    ],
    statuses: { failed: "something failed or was not found, or it was stopped" },
    see: "docs/CLIENT.md",
  }).action(async (names: readonly string[], flags: Flags) => {
    const words = { done: "pushed", way: "to" } as const;
    const { from = localName, to } = flags;
    const kind = { words, purpose: "push", source: from } as const;
    end(await runTransfer(flags, kind, (context) => pushNamed(names, { from, to }, context)));
  });
}
