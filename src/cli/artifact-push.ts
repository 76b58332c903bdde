import type { Command } from "commander";
import { localName } from "../client/named-place.ts";
import type { Place } from "../client/place.ts";
import { indexes } from "./artifact-pull.ts";
import { addClientOptions } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { repeated } from "./repeated.ts";
import { addJsonOption, placeText, runTransfer, type Transfer, type TransferFlags } from "./transfer-command.ts";

interface Flags extends TransferFlags {
  readonly to?: readonly string[];
  readonly from?: string;
}

/** `stillage artifact push NAMES…`. */
export function artifactPushCommand(end: (status: number) => void): Command {
  const command = newCommand("push", "stillage")
    .description("Push artifacts to all remotes that are configured for it")
    .argument(
      "<NAMES...>",
      "PROJECT/ELEMENT/KEY, in which * and ? are wildcards and the key may be short; or an element's file",
    )
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
    end(await runTransfer(flags, { words, purpose: "push" }, (transfer) => push(names, flags, transfer)));
  });
}

async function push(names: readonly string[], flags: Flags, transfer: Transfer): Promise<number> {
  const { configuration, options, report } = transfer;
  const from = await transfer.open(flags.from ?? localName, "read");
  const questions = await transfer.questions(names, () => indexes(async () => [from]));
  if (questions.length === 0) return exitStatus.failed;
  const to = await targets(flags, transfer);
  const { pushArtifacts } = await import("../client/transfer/push-artifacts.ts");
  const width = configuration.pushers;
  const summary = await pushArtifacts(questions, { ...options, from, to, optional: "those-there", width });
  const status = report.end(summary);
  return transfer.meaningless > 0 ? exitStatus.failed : status;
}

function targets({ to }: Flags, transfer: Transfer): Promise<readonly Place[]> {
  if (to === undefined) return transfer.remotes(transfer.configuration.remotes.filter((remote) => remote.push));
  return Promise.all(to.map((text) => transfer.open(text, "write")));
}
