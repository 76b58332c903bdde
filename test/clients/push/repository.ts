import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runOk, runProgram } from "../support/program.ts";
import type { Workspace } from "../support/workspace.ts";

/** An OSTree repository of mode `archive`, by Debian's own program. */
export class Repository {
  readonly path: string;
  private readonly workspace: Workspace;

  private constructor(path: string, workspace: Workspace) {
    this.path = path;
    this.workspace = workspace;
  }

  static async create(workspace: Workspace, name = "repository"): Promise<Repository> {
    const made = new Repository(await workspace.folder(name), workspace);
    await made.run("init", "--mode=archive");
    return made;
  }

  run(command: string, ...words: readonly string[]): Promise<string> {
    return runOk("ostree", [command, `--repo=${this.path}`, ...words]);
  }

  /** Commits a tree under each of the refs, and gives the commit. */
  async commit(tree: string, ...refs: readonly string[]): Promise<string> {
    const [first = "", ...others] = refs;
    const commit = (
      await this.run("commit", "-b", first, `--tree=dir=${tree}`, "--no-bindings", "--canonical-permissions")
    ).trim();
    for (const ref of others) await this.run("refs", commit, `--create=${ref}`);
    return commit;
  }

  /** Commits files that nobody has: `count` of some bytes in folders of a hundred, and one of `large` bytes. */
  async commitNew(count: number, large: number, ...refs: readonly string[]): Promise<string> {
    const tree = await this.workspace.folder("tree");
    const seed = randomBytes(8).toString("hex");
    for (let i = 0; i < count; i++) {
      const folder = join(tree, `${seed}-${Math.floor(i / 100)}`);
      if (i % 100 === 0) await mkdir(folder);
      await writeFile(join(folder, `${i}`), `${seed} ${i}`);
    }
    if (large > 0) await writeFile(join(tree, "large"), randomBytes(large));
    return this.commit(tree, ...refs);
  }

  /** Pulls refs from a URL, and checks everything that is here. */
  async pull(url: string, ...refs: readonly string[]): Promise<void> {
    await this.knowRemote(url);
    await this.run("pull", "cache", ...refs);
    await this.run("fsck", "--quiet");
  }

  /** The refs that a URL lists. */
  async remoteRefs(url: string): Promise<string[]> {
    await this.knowRemote(url);
    const refs = await this.run("remote", "refs", "cache");
    return refs
      .split("\n")
      .filter(Boolean)
      .map((line) => line.replace("cache:", ""));
  }

  /** The commit of a ref; `undefined` where there is none. */
  async head(ref: string): Promise<string | undefined> {
    const { status, stdout } = await runProgram("ostree", ["rev-parse", `--repo=${this.path}`, ref]);
    return status === 0 ? stdout.trim() : undefined;
  }

  private async knowRemote(url: string): Promise<void> {
    await this.run("remote", "add", "--if-not-exists", "--no-gpg-verify", "cache", url);
  }
}

/** The name of an artifact whose key is made of one digit. */
export function artifactRef(element: string, digit: string): string {
  return `demo/${element}/${digit.repeat(64)}`;
}
