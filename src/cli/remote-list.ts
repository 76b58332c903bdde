import { homedir } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import type { ClientConfiguration, SetAside } from "../client/configuration/client-configuration.ts";
import {
  type Blocked,
  openReachability,
  type Reachability,
  unreachablePath,
} from "../client/connection/reachability.ts";
import type { RemoteSpec } from "../client/remote-spec.ts";
import { shownUrl } from "../client/shown-url.ts";
import { showProblem } from "../config/problem.ts";
import { addClientOptions, type ClientFlags, clientConfiguration } from "./client-options.ts";
import { addUse } from "./command-use.ts";
import { sayNoRemote, sayNotes } from "./configuration-notes.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { type Output, standardOutput } from "./output.ts";
import { textTable } from "./text-table.ts";

/** A remote with its place in the order; `undefined` for one that is set aside. */
interface Row {
  readonly place: number | undefined;
  readonly remote: RemoteSpec;
  readonly blocked: Blocked | undefined;
  /** Why it is not used, for now or at all. */
  readonly why: string | undefined;
}

/** `stillage remote list`. */
export function remoteListCommand(end: (status: number) => void): Command {
  const command = newCommand("list", "stillage").description(
    "List the caches that are used, in the order in which they are asked, and those that are not, with the reason",
  );
  addUse(addClientOptions(command).option("--json", "Print JSON"), {
    notes: [
      "In a pipe: a line for each, with tabs between its place in the order (- where it is not used), name, URL, type, push or pull, instance name, where it is said, and why it is not used. \\ and what a terminal acts on stand as \\\\ and \\xNN.",
    ],
    examples: [
      { says: "The caches of the project in the working directory", run: "stillage remote list" },
      { says: "Those of another one, with all that is said of them", run: "stillage remote list -C src/app --json" },
      { says: "Without what the project recommends", run: "stillage remote list --ignore-project-remotes" },
    ],
    see: "docs/CLIENT.md",
  });
  return command.action(async (flags: ClientFlags & { readonly json?: true }) => {
    const configuration = clientConfiguration(flags);
    if (configuration === undefined) return end(exitStatus.usage);
    const reachability = openReachability(unreachablePath(process.env), systemClock);
    const output = standardOutput();
    const rows = rowsOf(configuration, reachability);
    await output.write(flags.json ? json(configuration, rows) : text(configuration, rows, output));
    if (!flags.json) sayNotes(configuration);
    if (configuration.remotes.length === 0 && !flags.json && !output.forPeople) sayNoRemote();
    end(exitStatus.done);
  });
}

function rowsOf({ remotes, setAside }: ClientConfiguration, reachability: Reachability): readonly Row[] {
  const used = remotes.map((remote, i): Row => {
    const blocked = reachability.blocked(remote);
    return { place: i + 1, remote, blocked, why: blocked && blockText(blocked) };
  });
  return [
    ...used,
    ...setAside.map(({ remote, why }: SetAside): Row => ({ place: undefined, remote, blocked: undefined, why })),
  ];
}

function blockText({ until, since, why }: Blocked): string {
  return `not tried until ${timeText(until)}: it does not answer since ${timeText(since)} (${why})`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

const columns = [
  { title: "" },
  { title: "REMOTE" },
  { title: "TYPE" },
  { title: "FOR" },
  { title: "INSTANCE", flexible: true },
  { title: "SAID AT", flexible: true },
];

function text({ project }: ClientConfiguration, rows: readonly Row[], { forPeople, width }: Output): string {
  if (!forPeople) return rows.map((row) => `${tabbed(row).map(printable).join("\t")}\n`).join("");
  const where =
    project === undefined ? "outside of any project" : `of the project ${project.name} (${project.directory})`;
  const used = rows.filter(({ place }) => place !== undefined);
  const aside = rows.filter(({ place }) => place === undefined);
  const head = `Caches ${printable(where)}:\n\n`;
  const table = used.length === 0 ? "None is configured.\n" : textTable(columns, used.map(cells), width);
  const blocked = used.filter(({ why }) => why !== undefined);
  return [
    head + table,
    blocked.length > 0 ? `Left alone for now:\n${reasons(blocked)}` : "",
    aside.length > 0 ? `Not used:\n${reasons(aside)}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** What is in the home directory stands shorter, for people. */
function shortOrigin({ origin }: RemoteSpec): string {
  const home = homedir();
  return origin.startsWith(`${home}/`) ? `~${origin.slice(home.length)}` : origin;
}

function titleOf({ name, url }: RemoteSpec): string {
  const shown = shownUrl(url);
  return name === shown ? shown : `${name} (${shown})`;
}

function cells({ place, remote }: Row): string[] {
  const { type, push, instanceName } = remote;
  return [
    String(place ?? "-"),
    titleOf(remote),
    type,
    push ? "pull, push" : "pull",
    instanceName,
    shortOrigin(remote),
  ].map(printable);
}

function reasons(rows: readonly Row[]): string {
  return rows
    .map(({ remote, why }) => printable(`  ${titleOf(remote)}, said at ${shortOrigin(remote)}: ${why}`))
    .join("\n")
    .concat("\n");
}

function tabbed({ place, remote, why }: Row): string[] {
  const { name, url, type, push, instanceName, origin } = remote;
  return [String(place ?? "-"), name, shownUrl(url), type, push ? "push" : "pull", instanceName, origin, why ?? ""];
}

function json(configuration: ClientConfiguration, rows: readonly Row[]): string {
  const { generation, cacheDirectory, project, files, notes } = configuration;
  const remotes = rows.map(({ place, remote, blocked, why }) => ({
    place: place ?? null,
    ...remote,
    url: shownUrl(remote.url),
    byHand: undefined, // of no use to others
    blocked:
      blocked === undefined ? null : { ...blocked, until: timeText(blocked.until), since: timeText(blocked.since) },
    why: why ?? null,
  }));
  const all = { generation, project: project ?? null, cacheDirectory, files, remotes, notes: notes.map(showProblem) };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}
