import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { StillageError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { showProblem } from "../config/problem.ts";
import { checkRepositoryName } from "./release-names.ts";
import { type RepositorySettings, readRepositorySettings } from "./repository-settings.ts";

/** The file in a repository's directory that makes it one. */
export const settingsFile = "repository.yaml";

/**
 * Where things are in the directory of a release repository. `public` is all that others may read, and all that a web server
 * needs: the OSTree repository, and files beside it that say the same to people and programs.
 */
export class ReleaseLayout {
  readonly directory: string;
  /** What the repository is told: `RepositorySettings`. */
  readonly settings: string;
  readonly public: string;
  /** The OSTree repository, mode `archive`. */
  readonly archive: string;
  /** A directory for each release, by its commit: see `releaseFiles`. */
  readonly releases: string;
  /** Public keys of the signers. */
  readonly keys: string;
  /** The page for people. */
  readonly page: string;
  /** The list for programs. */
  readonly list: string;
  /** A directory for each release that is made and not published. */
  readonly prepared: string;

  constructor(directory: string) {
    this.directory = directory;
    this.settings = join(directory, settingsFile);
    this.public = join(directory, "public");
    this.archive = join(this.public, "repo");
    this.releases = join(this.public, "releases");
    this.keys = join(this.public, "keys");
    this.page = join(this.public, "index.html");
    this.list = join(this.public, "releases.json");
    this.prepared = join(directory, "prepared");
  }

  /** What lies beside a release: `releaseFiles`, and its attachments. */
  release(commit: string): string {
    return join(this.releases, commit);
  }
}

/** What stands in the directory of a release, beside its attachments. */
export const releaseFiles = {
  manifest: "manifest.json",
  manifestYaml: "manifest.yaml",
  /** A DSSE envelope around an in-toto statement. */
  provenance: "provenance.dsse.json",
} as const;

/** A release repository that is there, and what its file of settings says. */
export interface ReleaseRepository {
  readonly name: string;
  readonly layout: ReleaseLayout;
  readonly settings: RepositorySettings;
}

/** Opens the repository of a name. Errors: `invalid`, `not-found`, `failed-precondition` where its settings are wrong. */
export function openReleaseRepository(releases: string, name: string): ReleaseRepository {
  const directory = resolve(releases, checkRepositoryName(name));
  const layout = new ReleaseLayout(directory);
  if (!existsSync(layout.settings)) throw noRepository(releases, name);
  const settings = readRepositorySettings(layout.settings);
  if ("title" in settings) return { name, layout, settings };
  throw new StillageError("failed-precondition", `the release repository ${name} cannot be used`, {
    hint: settings.map(showProblem).join("; "),
  });
}

function noRepository(releases: string, name: string): StillageError {
  const there = listReleaseRepositories(releases);
  const near = nearest(name, there);
  const known = there.length === 0 ? "" : `, and ${there.slice(0, 10).join(", ")} there`;
  return new StillageError(
    "not-found",
    `there is no release repository ${JSON.stringify(name)} in ${resolve(releases)}`,
    {
      hint:
        near === undefined
          ? `\`stillage release init ${name}\` makes one${known === "" ? "" : `; there is${known.slice(5)}`}`
          : `did you mean ${near}?`,
    },
  );
}

/** The names of all repositories in a directory, in order; none where there is no such directory. */
export function listReleaseRepositories(releases: string): string[] {
  try {
    const entries = readdirSync(releases, { withFileTypes: true });
    const names = entries.filter((each) => each.isDirectory() && existsSync(join(releases, each.name, settingsFile)));
    return names
      .map(({ name }) => name)
      .filter(isRepositoryName)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new StillageError("internal", `the release repositories in ${releases} cannot be listed`, { cause: error });
  }
}

function isRepositoryName(name: string): boolean {
  try {
    return checkRepositoryName(name) === name;
  } catch {
    return false;
  }
}
