import type { Command } from "commander";
import type { Place } from "../client/place.ts";
import { indexes } from "./artifact-pull.ts";
import { addClientOptions } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { addJsonOption, placeText, runTransfer, type Transfer, type TransferFlags } from "./transfer-command.ts";

/** Artifacts that are looked up or copied at a time: most of a small one is waiting for answers. */
const inFlight = 32;

/** `stillage mirror SRC DST [NAMES…]`. */
export function mirrorCommand(end: (status: number) => void): Command {
  const command = newCommand("mirror", "stillage")
    .description("Copy the artifacts that one place has and another lacks")
    .argument("<SRC>", `Where they are: ${placeText}`)
    .argument("<DST>", "Where they are to be: the same kinds of places")
    .argument(
      "[NAMES...]",
      "PROJECT/ELEMENT/KEY, in which * and ? are wildcards and the key may be short (default: all)",
    );
  return addUse(addJsonOption(addClientOptions(command)), {
    notes: [
      "What DST has with the same content is passed over: a mirror that was stopped goes on where it was, and one that is run again copies what is new.",
    ],
    examples: [
      {
        says: "All that a server has, to another",
        run: "stillage mirror https://cache.example.org:11001 https://mirror.example.org:11002",
      },
      {
        says: "A project, into the local cache",
        run: "stillage mirror https://cache.example.org:11001 local 'harbour/*'",
      },
    ],
    statuses: { failed: "something failed or was not found, or it was stopped" },
    see: "docs/CLIENT.md",
  }).action(async (src: string, dst: string, names: readonly string[], flags: TransferFlags) => {
    const words = { done: "copied", way: "to" } as const;
    end(await runTransfer(flags, { words, purpose: "all" }, (transfer) => mirror({ src, dst, names }, transfer)));
  });
}

interface Ends {
  readonly src: string;
  readonly dst: string;
  readonly names: readonly string[];
}

async function mirror({ src, dst, names }: Ends, transfer: Transfer): Promise<number> {
  const { options, report } = transfer;
  const [from, to] = [await transfer.open(src, "read"), await transfer.open(dst, "write")];
  const { mirrorArtifacts, mirrorThese } = await import("../client/transfer/mirror-artifacts.ts");
  const all = { ...options, from, to, optional: "those-there", width: inFlight } as const;
  if (names.length === 0) {
    return report.end(await mirrorArtifacts([{ project: "*", element: "*", key: "*" }], all));
  }
  const artifacts = await artifactsNamed(names, from, transfer);
  const status = report.end(await mirrorThese(artifacts, all));
  return transfer.meaningless > 0 ? exitStatus.failed : status;
}

async function artifactsNamed(names: readonly string[], from: Place, { questions, options, report, signal }: Transfer) {
  const asked = await questions(names, () => indexes(async () => [from]));
  options.progress?.addItems(asked.length);
  const found = await Promise.all(
    asked.map(async (question) => ({ question, artifact: await from.index?.find(question, signal) })),
  );
  return found.flatMap(({ question: { project, element, keys }, artifact }) => {
    if (artifact !== undefined) return [artifact];
    const name = `${project}/${element}/${keys[0]}`;
    report.done({ name, result: "missing", place: undefined, blobs: 0, bytes: 0, notes: [], error: undefined });
    return [];
  });
}
