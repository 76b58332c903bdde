import type { Command } from "commander";
import { listPrepared, readPrepared, removePrepared } from "../release/prepared-files.ts";
import { publishPrepared } from "../release/publish.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import type { Output } from "./output.ts";
import {
  addRepositoryFlags,
  type ReleaseFlags,
  type ReleasePlace,
  repositoryMeant,
  withReleases,
  writerOf,
} from "./release-options.ts";
import { addPushFlags, checkNoPush, type PushFlags, pushReleases } from "./release-push.ts";
import { textTable } from "./text-table.ts";

interface PublishFlags extends ReleaseFlags {
  readonly drop?: true;
}

type Flags = PublishFlags & PushFlags;

/** `stillage release publish [ID]`. */
export function releasePublishCommand(end: (status: number) => void): Command {
  const command = newCommand("publish", "stillage")
    .description(
      "Publish a release that was prepared, with the signatures that were imported and those of the repository's own signers",
    )
    .argument("[ID]", "What `release prepare` called it, or the beginning of that")
    .option("--drop", "Remove it instead");
  addUse(command, {
    notes: ["Without an ID: the prepared releases are listed."],
    examples: [
      { says: "Which releases are prepared", run: "stillage release publish" },
      { says: "Publish one of them", run: "stillage release publish 3f2a" },
    ],
  });
  return addRepositoryFlags(addPushFlags(command)).action(async (id: string | undefined) => {
    const flags = command.opts<Flags>();
    end(
      await withReleases(flags, (place) => {
        if (flags.push !== undefined) return pushReleases(flags.push, id, flags, place);
        checkNoPush(flags);
        return id === undefined ? listAll(flags, place) : publish(id, flags, place);
      }),
    );
  });
}

async function listAll({ repository: name, json }: Flags, { releases, output }: ReleasePlace): Promise<number> {
  const { layout } = repositoryMeant(releases, name);
  const all = [];
  for (const id of await listPrepared(layout)) {
    const { made, commits } = await readPrepared(layout, id);
    all.push({
      id,
      made: new Date(made).toISOString(),
      commits: commits.map(({ branch, commit }) => ({ branch, commit })),
    });
  }
  if (json) await output.write(`${JSON.stringify(all, undefined, 2)}\n`);
  else await output.write(text(all, output));
  return exitStatus.done;
}

const columns = [{ title: "ID" }, { title: "MADE" }, { title: "BRANCHES", flexible: true }];

interface Listed {
  readonly id: string;
  readonly made: string;
  readonly commits: readonly { readonly branch: string }[];
}

function text(all: readonly Listed[], { forPeople, width }: Output): string {
  const rows = all.map(({ id, made, commits }) => [id, made, commits.map(({ branch }) => printable(branch)).join(" ")]);
  if (!forPeople) return rows.map((row) => `${row.join("\t")}\n`).join("");
  return rows.length === 0 ? "Nothing is prepared\n" : textTable(columns, rows, width);
}

async function publish(id: string, flags: Flags, { releases, output, signal }: ReleasePlace): Promise<number> {
  const repository = repositoryMeant(releases, flags.repository);
  using writer = await writerOf(repository, signal);
  const prepared = await readPrepared(repository.layout, id);
  const outcome = flags.drop ? "dropped" : "published";
  if (flags.drop) await removePrepared(prepared);
  else await publishPrepared(writer, prepared);
  const commits = prepared.commits.map(({ branch, commit }) => ({ branch, commit }));
  if (flags.json) {
    await output.write(
      `${JSON.stringify({ repository: repository.name, outcome, releases: commits }, undefined, 2)}\n`,
    );
  } else await output.write(commits.map(({ branch, commit }) => `${branch}: ${commit} ${outcome}\n`).join(""));
  return exitStatus.done;
}
