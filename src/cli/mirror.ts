import type { Command } from "commander";
import { mirrorNamed } from "../client/library/named-transfers.ts";
import { addClientOptions } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { nameText, placeText } from "./name-texts.ts";
import { newCommand } from "./new-command.ts";
import { addJsonOption, runTransfer, type TransferFlags } from "./transfer-command.ts";

/** `stillage mirror SRC DST [NAME…]`. */
export function mirrorCommand(end: (status: number) => void): Command {
  const command = newCommand("mirror", "stillage")
    .description("Copy the artifacts that one place has and another lacks")
    .argument("<SRC>", `Where they are: ${placeText}`)
    .argument("<DST>", "Where they are to be: the same kinds of places")
    .argument("[NAME...]", `${nameText} (default: all)`);
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
    const [meant, ends] = [names.length === 0 ? undefined : names, { from: src, to: dst }];
    const kind = { words, purpose: "all", source: src } as const;
    end(await runTransfer(flags, kind, (context) => mirrorNamed(meant, ends, context)));
  });
}
