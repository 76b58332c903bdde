import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import { encodeDetached } from "../ostree/detached.ts";
import { writePage } from "./page-files.ts";
import { checkRepositoryName } from "./release-names.ts";
import { ReleaseLayout, type ReleaseRepository } from "./release-repository.ts";
import { parseRepositorySettings } from "./repository-settings.ts";
import { openSigners, type Signer } from "./signer.ts";
import { addSignatures, publishKeys } from "./signing.ts";

/**
 * Makes the repository of a name, with its signers' keys and a signed list of no branches: whole from its first moment, so that its fingerprints can be given out before there is a release.
 * Its file of settings comes last: without it there is none, so that a crash before leaves a directory in which the same command goes on.
 * Paths in `values` count from the working directory. Errors: `invalid` for settings that cannot be, `exists`, `failed-precondition` for signers that cannot sign; no repository is there then.
 */
export async function initReleaseRepository(
  releases: string,
  name: string,
  values: Readonly<Record<string, unknown>>,
): Promise<{ readonly repository: ReleaseRepository; readonly archive: ArchiveRepository }> {
  const layout = new ReleaseLayout(resolve(releases, checkRepositoryName(name)));
  const settings = parseRepositorySettings(layout.settings, stringify(values));
  if (!("title" in settings)) {
    throw new StillageError("invalid", `the release repository ${name} cannot be so`, {
      hint: settings.map(({ message }) => message).join("; "),
    });
  }
  if (existsSync(layout.settings)) {
    throw new StillageError("exists", `there is a release repository ${name} in ${layout.directory}`, {
      hint: `change ${layout.settings} for other settings`,
    });
  }
  const repository = { name, layout, settings };
  const signers = await openSigners(settings.signers);
  try {
    await makeFolder(layout.directory);
    for (const each of [layout.public, layout.releases, layout.keys, layout.prepared, layout.archive]) {
      await makeFolder(each);
    }
    const archive = await openOrInit(layout.archive);
    // Signatures first: the key of a signer who could not sign is not to be trusted when the next try has another.
    await publishNoBranches(archive, signers);
    await publishKeys(repository, signers);
    await writePage(repository, archive);
    await placeSettings(layout, settingsText(values));
    return { repository, archive };
  } catch (error) {
    throw fromFileSystem(error, `the release repository ${name} cannot be made in ${layout.directory}`);
  }
}

const head = `# A release repository. Paths count from this directory. All about it: docs/RELEASES.md

`;

/** What else can stand there, as an example of it. */
const examples: Readonly<Record<string, string>> = {
  description: "description: What it is for",
  url: "url: https://releases.example.org/releases/os     # where people find public/",
  builder: "builder: https://ci.example.org/                  # who builds, as provenance says it",
  signers: "signers: [{ ed25519: /etc/stillage/robot.secret }, { gpg: releases@example.org }]",
  "required-signatures":
    "required-signatures: 0                            # or the names of keys: [robot, releases@example.org]",
  checks: `checks: ['test -n "$STILLAGE_VERSION"']           # each has to end with 0 before anything is published`,
  hooks: `hooks: ['logger "released $STILLAGE_BRANCHES"']   # after publishing`,
  "command-timeout": "command-timeout: 10m                              # for each of those",
  keep: "keep: all                                         # what `release prune` leaves: all, last N, younger than TIME",
};

function settingsText(values: Readonly<Record<string, unknown>>): string {
  const absent = Object.entries(examples).filter(([key]) => values[key] === undefined);
  return `${head}${stringify(values)}\n${absent.map(([, line]) => `# ${line}\n`).join("")}`;
}

async function openOrInit(directory: string): Promise<ArchiveRepository> {
  const there = existsSync(join(directory, "config"));
  return there ? ArchiveRepository.open(directory) : ArchiveRepository.init(directory);
}

async function publishNoBranches(archive: ArchiveRepository, signers: readonly Signer[]): Promise<void> {
  const change = await archive.begin();
  try {
    await change.publish({
      summary: "refresh",
      signSummary: async (summary) =>
        signers.length === 0 ? undefined : encodeDetached(await addSignatures([], summary, signers)),
    });
  } finally {
    await change.abort();
  }
}

async function placeSettings({ directory, settings }: ReleaseLayout, text: string): Promise<void> {
  const staged = `${settings}.new`;
  await rm(staged, { force: true });
  await writeNewFile(staged, Buffer.from(text));
  await rename(staged, settings);
  await syncDirectory(directory);
}
