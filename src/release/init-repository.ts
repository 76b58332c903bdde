import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import { writePage } from "./page-files.ts";
import { checkRepositoryName } from "./release-names.ts";
import { ReleaseLayout, type ReleaseRepository } from "./release-repository.ts";
import { parseRepositorySettings } from "./repository-settings.ts";

/**
 * Makes the repository of a name. Its file of settings comes last: without it there is none, so that a crash before leaves a directory in which the same command goes on.
 * Paths in `values` count from the working directory. Errors: `invalid` for settings that cannot be, `exists`.
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
  try {
    await mkdir(layout.directory, { recursive: true });
    for (const each of [layout.public, layout.releases, layout.keys, layout.prepared, layout.archive]) {
      await mkdir(each, { recursive: true });
    }
    const archive = await openOrInit(layout.archive);
    await writePage(repository, archive);
    await placeSettings(layout, `${head}${stringify(values)}`);
    return { repository, archive };
  } catch (error) {
    throw fromFileSystem(error, `the release repository ${name} cannot be made in ${layout.directory}`);
  }
}

const head = `# A release repository. Paths count from this directory. All about it: docs/RELEASES.md

`;

async function openOrInit(directory: string): Promise<ArchiveRepository> {
  const there = existsSync(join(directory, "config"));
  return there ? ArchiveRepository.open(directory) : ArchiveRepository.init(directory);
}

async function placeSettings({ directory, settings }: ReleaseLayout, text: string): Promise<void> {
  const staged = `${settings}.new`;
  await rm(staged, { force: true });
  await writeNewFile(staged, Buffer.from(text));
  await rename(staged, settings);
  await syncDirectory(directory);
}
