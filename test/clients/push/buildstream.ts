import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { access, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { checkout } from "../support/checkout.ts";
import { runOk } from "../support/program.ts";
import type { Workspace } from "../support/workspace.ts";
import { openPushSite } from "./push-site.ts";

/** A folder with `python`, in which BuildStream's old requirements are, and a checkout of BuildStream for each version (README.md). */
export const bst10Folder = process.env.STILLAGE_BST10;

export const bst10Versions = ["1.0.1", "1.1.3"];

/** A cache that is reached over ssh: its URL, and the folder of an `ssh` that gets there. */
export interface SshCache {
  readonly url: string;
  readonly bin: string;
}

/** BuildStream 1.0 and 1.1 themselves, where somebody has them: no distribution has. */
export function testBuildStream(): void {
  for (const version of bst10Versions) {
    const skip = bst10Folder === undefined ? "STILLAGE_BST10 names no folder with BuildStream 1.0" : false;
    test(`BuildStream ${version} pushes, and pulls instead of building`, { skip }, async () => {
      await using site = await openPushSite();
      const project = await writeBst10Project(await site.workspace.folder("project"));
      const { user: login, port, bin } = site.sshd;
      const cache = { url: `ssh://${login}@127.0.0.1:${port}/artifacts`, bin };
      const builder = await bst10Machine(site.workspace, version, project, cache);
      const built = await builder("build", "all.bst");
      assert.match(built, /Push Queue: +processed 3, skipped 0, failed 0/);
      const user = await bst10Machine(site.workspace, version, project, cache);
      const pulled = await user("build", "all.bst");
      assert.match(pulled, /Pull Queue: +processed 3, skipped 0, failed 0/);
      assert.match(pulled, /Build Queue: +processed 0, skipped 3, failed 0/);
      const out = join(await site.workspace.folder("out"), "tree");
      await user("checkout", "one.bst", out);
      assert.ok((await readFile(join(out, "large"))).equals(await readFile(join(project, "files/large"))));
      await access(join(out, "link"));
    });
  }
}

/** A machine with BuildStream and an empty cache of its own: what its `bst` prints. */
export async function bst10Machine(
  workspace: Workspace,
  version: string,
  project: string,
  { url, bin }: SshCache,
): Promise<(...words: readonly string[]) => Promise<string>> {
  const home = await workspace.folder("machine");
  const configuration = join(home, "bst.conf");
  const remote = version.startsWith("1.0") ? `  url: ${url}` : `- url: ${url}\n  push: true`;
  const folders = ["source", "build", "artifact", "log"].map((each) => `${each}dir: ${join(home, each)}`);
  await writeFile(configuration, `${folders.join("\n")}\nartifacts:\n${remote}\n`);
  const program = [
    ...[join(bst10Folder ?? "", "python"), join(checkout, "test/clients/support/bst10.py")],
    join(bst10Folder ?? "", version),
  ];
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, HOME: home, PYTHONWARNINGS: "ignore" };
  const words = ["-c", 'exec "$@" 2>&1', "sh", ...program, "--config", configuration, "-C", project];
  return (...more) => runOk("sh", [...words, ...more], { env });
}

/** A project `demo` of three elements, `all.bst` on top. */
export async function writeBst10Project(path: string): Promise<string> {
  await mkdir(join(path, "files"));
  await mkdir(join(path, "elements"));
  await writeFile(join(path, "project.conf"), "name: demo\nelement-path: elements\n");
  await writeFile(join(path, "files/large"), randomBytes(3_000_000));
  await symlink("large", join(path, "files/link"));
  await writeFile(join(path, "elements/one.bst"), "kind: import\nsources:\n- kind: local\n  path: files\n");
  await writeFile(join(path, "elements/two.bst"), "kind: stack\ndepends:\n- one.bst\n");
  await writeFile(join(path, "elements/all.bst"), "kind: stack\ndepends:\n- two.bst\n");
  return path;
}
