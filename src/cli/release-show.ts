import type { Command } from "commander";
import { readManifest } from "../release/beside-files.ts";
import { releaseMeant } from "../release/history.ts";
import { listReleases } from "../release/list-releases.ts";
import type { Manifest } from "../release/manifest.ts";
import { releaseJson } from "../release/release-json.ts";
import type { ListedRelease } from "../release/release-list.ts";
import { type ReleaseRecord, timeText } from "../release/release-record.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanSize, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import {
  addRepositoryFlags,
  type ReleaseFlags,
  type ReleasePlace,
  readableRepository,
  withReleases,
} from "./release-options.ts";

/** `stillage release show RELEASE`. */
export function releaseShowCommand(end: (status: number) => void): Command {
  const command = newCommand("show", "stillage")
    .description("Show all that is known of a release")
    .argument("<RELEASE>", "A commit or the beginning of one, a branch, a version, or BRANCH@VERSION");
  addUse(command, {
    examples: [
      { says: "The newest of a branch", run: "stillage release show stable" },
      { says: "A certain version, for a script", run: "stillage release show stable@24.08 --json" },
    ],
  });
  return addRepositoryFlags(command).action(async (name: string) => {
    const flags = command.opts<ReleaseFlags>();
    end(await withReleases(flags, (place) => show(name, flags, place)));
  });
}

async function show(name: string, flags: ReleaseFlags, { releases, output }: ReleasePlace): Promise<number> {
  const { repository, archive } = await readableRepository(releases, flags.repository);
  const record = await releaseMeant(archive, name);
  const title = { name: repository.name, title: repository.settings.title, description: null, url: null };
  const list = await listReleases(repository.layout, title, archive);
  const listed = list.releases.find(({ branch, commit }) => branch === record.branch && commit === record.commit);
  const read = await readManifest(repository.layout, record.commit, record.manifest);
  const { current = false, signers = [], manifest = null, provenance = null, files = [] } = listed ?? {};
  if (flags.json) {
    const beside = { current, signers, files: [manifest, provenance, ...files].filter((each) => each !== null) };
    const told = { ...releaseJson(record), ...beside, manifestContent: read?.manifest ?? null };
    await output.write(`${JSON.stringify(told, undefined, 2)}\n`);
    return exitStatus.done;
  }
  const rows = rowsOf(record, listed, read?.manifest);
  const width = Math.max(...rows.map(([label]) => label.length));
  const line = ([label, value]: Row): string =>
    `${output.forPeople ? `${label.padEnd(width)}  ` : `${label}\t`}${printable(value)}\n`;
  await output.write(rows.map(line).join(""));
  return exitStatus.done;
}

type Row = readonly [label: string, value: string];

function rowsOf(record: ReleaseRecord, listed: ListedRelease | undefined, manifest: Manifest | undefined): Row[] {
  const { branch, version, commit, parent, title, subject, body, contentChecksum, rollbackOf, endOfLife } = record;
  const rows: [label: string, value: string | undefined][] = [
    ["branch", listed?.current ? `${branch} (current)` : branch],
    ["version", version],
    ["title", title],
    ["subject", subject],
    ["body", body === "" ? undefined : body],
    ["commit", commit],
    ["parent", parent],
    ["time", timeText(record)],
    ["content", contentChecksum],
    ["manifest", record.manifest],
    ["tree of", rollbackOf],
    ["end of life", endOfLife],
    ["go on with", record.endOfLifeRebase],
  ];
  for (const { kind, name, id } of listed?.signers ?? [])
    rows.push(["signed by", `${name ?? id ?? "an unknown key"} (${kind})`]);
  if (listed?.provenance) rows.push(["provenance", listed.provenance.path]);
  return [...rows.filter((row): row is [string, string] => row[1] !== undefined), ...manifestRows(manifest)];
}

function manifestRows(manifest: Manifest | undefined): Row[] {
  if (manifest === undefined) return [];
  const { artifact, content, sources, dependencies, attachments, metadata } = manifest;
  const rows: Row[] = [["files", `${counted(content.files, "file")}, ${humanSize(content.bytes)}`]];
  if (artifact !== null) {
    rows.push(["artifact", `${artifact.project}/${artifact.element}/${artifact.key} (${artifact.generation})`]);
    for (const [role, key] of Object.entries(artifact.keys)) if (key !== null) rows.push([`${role} key`, key]);
  }
  if (sources !== null) rows.push(["sources", String(sources.length)]);
  for (const { project, element, key } of dependencies ?? []) {
    rows.push(["built with", `${project === null ? "" : `${project}/`}${element} ${key}`]);
  }
  for (const [key, value] of Object.entries(metadata)) rows.push([key, value]);
  for (const { name, kind, size } of attachments) rows.push(["attachment", `${name} (${kind}, ${humanSize(size)})`]);
  return rows;
}
