import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LruMap } from "../../base/lru-map.ts";
import type { Peer } from "../../base/peer.ts";
import { PromisedPairs } from "./promised-pairs.ts";
import { isAbsent, openPublicFile, type PublicFile } from "./public-files.ts";
import { type SummaryFile, SummaryPairReader } from "./summary-pair.ts";

/** The name of a release repository, which is that of a directory. */
const repositoryName = /^[A-Za-z0-9_][-._A-Za-z0-9]{0,63}$/;

/** Repositories whose pairs are remembered: more than anybody has. */
const maxRepositories = 1000;

interface Repository {
  readonly reader: SummaryPairReader;
  readonly promised: PromisedPairs;
}

/** What is published of release repositories: of each the files in its directory `public`, where the OSTree repository is `repo`. */
export class ReleaseFiles {
  private readonly directory: string;
  private readonly repositories = new LruMap<string, Repository>(maxRepositories);

  /** `directory`: that of all repositories, by their names. */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** The names of all repositories. */
  async names(): Promise<string[]> {
    try {
      const entries = await readdir(this.directory, { withFileTypes: true });
      const names = entries
        .filter((each) => each.isDirectory() && repositoryName.test(each.name))
        .map(({ name }) => name);
      return names.sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  /** A file of a repository, open; `"directory"` where there is one. */
  async open(name: string, segments: readonly string[]): Promise<PublicFile | "directory" | undefined> {
    return repositoryName.test(name) ? openPublicFile(join(this.directory, name, "public"), segments) : undefined;
  }

  /**
   * The list of a repository's branches, or its signature, as somebody is to get it: who got a signature gets what it is of. `undefined` where there is none.
   * Errors: `unavailable`.
   */
  async summary(name: string, file: "summary" | "summary.sig", peer: Peer): Promise<SummaryFile | undefined> {
    if (!repositoryName.test(name)) return undefined;
    const { reader, promised } = this.repository(name);
    const current = await reader.current();
    if (file === "summary") return promised.of(peer, current).summary;
    promised.promise(peer, current);
    return current.signature;
  }

  private repository(name: string): Repository {
    let repository = this.repositories.get(name);
    if (repository === undefined) {
      const reader = new SummaryPairReader(join(this.directory, name, "public", "repo"));
      repository = { reader, promised: new PromisedPairs() };
      this.repositories.set(name, repository);
    }
    return repository;
  }
}
