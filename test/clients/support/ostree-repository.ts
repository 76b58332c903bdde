import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProgramResult, runOk, runProgram } from "./program.ts";

/** A commit that a test makes. */
export interface NewCommit {
  readonly branch: string;
  /** Files at the root of its tree, by name. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Seconds since 1970. */
  readonly time: number;
  readonly version?: string;
}

/** An OSTree repository of mode `archive` in a folder, and the program `ostree` at work in it. */
export class OstreeRepository {
  readonly path: string;
  private trees = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async init(path: string, mode = "archive"): Promise<OstreeRepository> {
    await runOk("ostree", ["init", `--repo=${path}`, `--mode=${mode}`]);
    return new OstreeRepository(path);
  }

  /** One that somebody else has made. */
  static at(path: string): OstreeRepository {
    return new OstreeRepository(path);
  }

  /** Runs `ostree` on it, which has to succeed; gives its standard output without the last newline. */
  async ok(...words: readonly string[]): Promise<string> {
    return (await runOk("ostree", [`--repo=${this.path}`, ...words])).trimEnd();
  }

  run(...words: readonly string[]): Promise<ProgramResult> {
    return runProgram("ostree", [`--repo=${this.path}`, ...words]);
  }

  /** Gives the checksum. */
  async commit({ branch, files, time, version = "1" }: NewCommit): Promise<string> {
    this.trees += 1;
    const tree = `${this.path}-tree-${this.trees}`;
    await mkdir(tree);
    for (const [name, content] of Object.entries(files)) await writeFile(join(tree, name), content);
    return this.ok(
      ...[
        "commit",
        "--canonical-permissions",
        `--branch=${branch}`,
        `--subject=${branch} ${version}`,
        "--body=as built",
      ],
      ...[`--add-metadata-string=version=${version}`, `--timestamp=@${time}`, `--tree=dir=${tree}`],
    );
  }

  /** The checksum that a branch is at; `undefined` where there is no such branch. */
  async head(branch: string): Promise<string | undefined> {
    const { status, stdout } = await this.run("rev-parse", branch);
    return status === 0 ? stdout.trim() : undefined;
  }

  /** All branches and where they are, in order. */
  async refs(): Promise<string> {
    const names = (await this.ok("refs")).split("\n").filter(Boolean).sort();
    return (await Promise.all(names.map(async (name) => `${name} ${await this.head(name)}`))).join("\n");
  }
}
