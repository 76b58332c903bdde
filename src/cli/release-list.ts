import type { Command } from "commander";
import { allReleases } from "../release/history.ts";
import { releaseJson } from "../release/release-json.ts";
import { type ReleaseRecord, timeText } from "../release/release-record.ts";
import { shortKey } from "./artifact-list.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import type { Output } from "./output.ts";
import { addRepositoryFlags, type ReleaseFlags, readableRepository, withReleases } from "./release-options.ts";
import { textTable } from "./text-table.ts";

interface Flags extends ReleaseFlags {
  readonly branch?: string;
  readonly current?: true;
}

const columns = [
  { title: "BRANCH", flexible: true },
  { title: "VERSION", flexible: true },
  { title: "COMMIT" },
  { title: "DATE" },
  { title: "SUBJECT", flexible: true },
];

/** `stillage release list`. */
export function releaseListCommand(end: (status: number) => void): Command {
  const command = newCommand("list", "stillage")
    .description("List the releases in a repository, branch by branch, the newest first")
    .option("--branch <NAME>", "Only this branch")
    .option("--current", "Only the newest of each branch");
  addUse(command, {
    notes: ["In a pipe: a line for each, with tabs between branch, version, commit, time, and subject."],
    examples: [
      { says: "What is current on each branch", run: "stillage release list --current" },
      { says: "All of one branch, for a script", run: "stillage release list --branch stable --json" },
    ],
  });
  return addRepositoryFlags(command).action(async () => {
    const flags = command.opts<Flags>();
    end(
      await withReleases(flags, async ({ releases, output }) => {
        const { archive } = await readableRepository(releases, flags.repository);
        const records: ReleaseRecord[] = [];
        for await (const record of allReleases(
          archive,
          (branch) => flags.branch === undefined || branch === flags.branch,
        )) {
          if (!flags.current || records.at(-1)?.branch !== record.branch) records.push(record);
        }
        await output.write(
          flags.json ? `${JSON.stringify(records.map(releaseJson), undefined, 2)}\n` : text(records, output),
        );
        return exitStatus.done;
      }),
    );
  });
}

function text(records: readonly ReleaseRecord[], { forPeople, width }: Output): string {
  const rows = records.map((record) => {
    const { branch, version = "", commit, subject, endOfLife } = record;
    const time = timeText(record);
    const said = endOfLife === undefined ? subject : `${subject} (end of life)`;
    return [
      branch,
      version,
      forPeople ? commit.slice(0, shortKey) : commit,
      forPeople ? time.slice(0, 10) : time,
      said,
    ].map(printable);
  });
  if (!forPeople) return rows.map((row) => `${row.join("\t")}\n`).join("");
  return rows.length === 0 ? "Nothing has been released yet\n" : textTable(columns, rows, width);
}
