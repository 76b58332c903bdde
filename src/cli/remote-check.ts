import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import type { ClientConfiguration } from "../client/configuration/client-configuration.ts";
import { checkRemotes, works } from "../client/connection/check-remotes.ts";
import { openReachability, unreachablePath } from "../client/connection/reachability.ts";
import type { RemoteSpec } from "../client/remote-spec.ts";
import { addClientOptions, type ClientFlags, clientConfiguration } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { sayNoRemote, sayNotes } from "./configuration-notes.ts";
import { exitStatus } from "./exit-status.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { standardOutput } from "./output.ts";
import { checkJson, checkTable, checkTabs } from "./remote-check-report.ts";

/** `stillage remote check [NAME…]`. */
export function remoteCheckCommand(end: (status: number) => void): Command {
  const command = newCommand("check", "stillage")
    .description("Ask caches what they speak, whether we may pull and push, and how fast they answer, and say why not")
    .argument("[REMOTE...]", "Names or URLs (default: all that are used)");
  addUse(addClientOptions(command).option("--json", "Print JSON"), {
    notes: [
      "Nothing is pushed or changed there: whether pushing is allowed, a push of nothing tells. Servers that did not answer are asked again, and what was remembered of them is forgotten.",
      "In a pipe: a line for each, with tabs between name, URL, works, limited or fails, product, protocols, pull (yes or no), push (yes or no), milliseconds of a small call, the certificate's end, bytes of a batch and of a blob at most, why it does not work, and the proxy by way of which it is asked. \\ and what a terminal acts on stand as \\\\ and \\xNN.",
    ],
    examples: [
      { says: "All caches of the project in the working directory", run: "stillage remote check" },
      { says: "One, configured or not", run: "stillage remote check https://cache.example.org:11002" },
      { says: "What each of them speaks", run: "stillage remote check --json | jq '.[].protocols'" },
    ],
    statuses: { done: "all of them do what is configured", failed: "one does not" },
    see: "docs/CLIENT.md",
  });
  return command.action(async (names: string[], flags: ClientFlags & { readonly json?: true }) => {
    const specs = remotesMeant(names, flags, flags.json !== true);
    if (specs === undefined) return end(exitStatus.usage);
    end(await interruptible((signal) => check(specs, names.length === 0, flags, signal), "the check was stopped"));
  });
}

async function check(
  specs: readonly RemoteSpec[],
  all: boolean,
  { json }: { readonly json?: true },
  signal: AbortSignal,
): Promise<number> {
  const reachability = openReachability(unreachablePath(process.env), systemClock);
  if (all) await reachability.clear();
  const now = systemClock();
  const checks = await checkRemotes(specs, { reachability, signal, now });
  const output = standardOutput();
  const report = json ? checkJson : output.forPeople ? checkTable : checkTabs;
  await output.write(report(checks, output.width));
  if (checks.length === 0 && !json && !output.forPeople) sayNoRemote();
  return checks.every(works) ? exitStatus.done : exitStatus.failed;
}

/** What names mean: remotes of the configuration, used or not, or others as `--remote` describes them. Problems are printed, and then there is nothing. */
function remotesMeant(
  names: readonly string[],
  flags: ClientFlags,
  withNotes: boolean,
): readonly RemoteSpec[] | undefined {
  const configuration = clientConfiguration(flags);
  if (configuration === undefined) return undefined;
  if (names.length === 0) {
    if (withNotes) sayNotes(configuration);
    return configuration.remotes;
  }
  const found: RemoteSpec[] = [];
  for (const name of names) {
    const known = configured(configuration, name) ?? described(name, flags);
    if (known === undefined) return undefined;
    found.push(...known);
  }
  return found;
}

/** Whoever only names a URL does not ask for more than what it lets him do. */
function described(text: string, flags: ClientFlags): readonly RemoteSpec[] | undefined {
  return clientConfiguration({ ...flags, remote: [text] }, /\bpush=/.test(text) ? "all" : "pull")?.remotes;
}

function configured({ remotes, named, setAside }: ClientConfiguration, text: string): RemoteSpec[] | undefined {
  const all = [...remotes, ...named, ...setAside.map(({ remote }) => remote)];
  const byName = all.find(({ name }) => name === text) ?? all.find(({ url }) => url === text);
  return byName && [byName];
}
