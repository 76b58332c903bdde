import type { Command } from "commander";
import { localName } from "../client/named-place.ts";
import type { Place } from "../client/place.ts";
import { addClientOptions } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { repeated } from "./repeated.ts";
import { addJsonOption, placeText, runTransfer, type Transfer, type TransferFlags } from "./transfer-command.ts";

interface Flags extends TransferFlags {
  readonly from?: readonly string[];
  readonly to?: string;
  readonly buildtrees?: true;
}

/** `stillage artifact pull NAMES…`. */
export function artifactPullCommand(end: (status: number) => void): Command {
  const command = newCommand("pull", "stillage")
    .description("Pull artifacts from remotes, each from the first that has it")
    .argument(
      "<NAMES...>",
      "PROJECT/ELEMENT/KEY, in which * and ? are wildcards and the key may be short; or an element's file",
    )
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
    end(await runTransfer(flags, { words, purpose: "pull" }, (transfer) => pull(names, flags, transfer)));
  });
}

async function pull(names: readonly string[], flags: Flags, transfer: Transfer): Promise<number> {
  const { configuration, options, report } = transfer;
  const to = await transfer.open(flags.to ?? localName, "write");
  let opening: Promise<readonly Place[]> | undefined;
  const remotes = (): Promise<readonly Place[]> => (opening ??= sources(flags, transfer));
  const questions = await transfer.questions(names, () => indexes(remotes));
  const { pullArtifacts } = await import("../client/transfer/pull-artifacts.ts");
  const optional = flags.buildtrees ? "those-there" : "none";
  const summary = await pullArtifacts(questions, { ...options, to, remotes, optional, width: configuration.fetchers });
  const status = report.end(summary);
  return transfer.meaningless > 0 ? exitStatus.failed : status;
}

function sources({ from }: Flags, transfer: Transfer): Promise<readonly Place[]> {
  if (from === undefined) return transfer.remotes(transfer.configuration.remotes);
  return Promise.all(from.map((text) => transfer.open(text, "read")));
}

/** The places that have names. */
export async function* indexes(places: () => Promise<readonly Place[]>) {
  for (const { name, index } of await places()) if (index !== undefined) yield { name, index };
}
