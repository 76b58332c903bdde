import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { contentOfCommit } from "../../../src/artifact/directory-content.ts";
import type { IndexedArtifact } from "../../../src/client/artifact-index.ts";
import { openCommitCache } from "../../../src/client/ostree/commit-cache.ts";
import type { OstreePlace } from "../../../src/client/ostree/ostree-place.ts";
import { ArchiveRepository } from "../../../src/ostree/archive/archive-repository.ts";
import { bst10Folder, bst10Machine, bst10Versions, type SshCache, writeBst10Project } from "../push/buildstream.ts";
import { runOk } from "../support/program.ts";
import { startSshd } from "../support/sshd.ts";
import { createWorkspace } from "../support/workspace.ts";
import { openRemote, unending } from "./ostree-artifacts.ts";
import { serveFiles } from "./web-files.ts";

const signal = unending;

/** BuildStream 1.0 and 1.1 themselves with their own receiver, where somebody has them: no distribution has. */
export function testBuildStream10(): void {
  for (const version of bst10Versions) {
    const skip = bst10Folder === undefined ? "STILLAGE_BST10 names no folder with BuildStream 1.0" : false;
    test(`what BuildStream ${version} has pushed to its own receiver goes elsewhere, from where it pulls it`, {
      skip,
    }, async () => {
      await using workspace = await createWorkspace();
      const project = await writeBst10Project(await workspace.folder("project"));
      // Two caches, each a repository behind a web server and the receiver of that release behind sshd.
      await using one = await ownCache("one");
      await using two = await ownCache("two");
      const builder = await bst10Machine(workspace, version, project, one);
      assert.match(await builder("build", "all.bst"), /Push Queue: +processed 3, skipped 0, failed 0/);
      await runOk("ostree", ["summary", "--update", `--repo=${one.repository}`]);

      await using from = await reached(one);
      const artifacts: IndexedArtifact[] = [];
      for await (const each of from.index.list([{ project: "demo", element: "*", key: "" }], signal))
        artifacts.push(each);
      assert.deepEqual(
        artifacts.map(({ element }) => element),
        ["all", "one", "two"],
      );
      const local = openCommitCache(join(await workspace.folder("cache"), "ostree"));
      await using to = await reached(two);
      for (const each of artifacts) {
        assert.equal(await local.commits.take?.(each, from.commits, { signal }), "published");
        const content = await contentOfCommit(local.commits.blobs, each.content);
        assert.deepEqual(content.problems, []);
        assert.ok(each.keys.includes(content.keys.strong ?? "") && content.logs.length === 1);
        assert.equal(await to.commits.take?.(each, local.commits, { signal }), "published");
        assert.equal(await to.commits.take?.(each, local.commits, { signal }), "present");
      }
      // What the builder itself has kept is the same.
      const homes = (await readdir(workspace.path)).filter((name) => name.endsWith("-machine"));
      const kept = join(workspace.path, homes[0] ?? "", "artifact/ostree");
      const beside = openCommitCache(join(await workspace.folder("empty"), "ostree"), [kept]);
      for (const each of artifacts) {
        const { project: of, element, keys } = each;
        const same = await beside.index.find({ project: of, element, keys: keys.slice(0, 1) }, signal);
        assert.deepEqual(same?.content, each.content);
        const again = openCommitCache(join(await workspace.folder("again"), "ostree"));
        assert.equal(await again.commits.take?.(each, beside.commits, { signal }), "published");
      }
      const [first, second] = [
        await ArchiveRepository.open(one.repository),
        await ArchiveRepository.open(two.repository),
      ];
      assert.deepEqual(await second.refs(), await first.refs());
      await runOk("ostree", ["summary", "--update", `--repo=${two.repository}`]);
      await runOk("ostree", ["fsck", "--quiet", `--repo=${two.repository}`]);

      const user = await bst10Machine(workspace, version, project, two);
      const pulled = await user("build", "all.bst");
      assert.match(pulled, /Pull Queue: +processed 3, skipped 0, failed 0/);
      const out = join(await workspace.folder("out"), "tree");
      await user("checkout", "one.bst", out);
      assert.ok((await readFile(join(out, "large"))).equals(await readFile(join(project, "files/large"))));

      async function ownCache(name: string) {
        const repository = await workspace.folder(name);
        await runOk("ostree", ["init", "--mode=archive", `--repo=${repository}`]);
        await runOk("ostree", ["summary", "--update", `--repo=${repository}`]);
        const web = await serveFiles(repository);
        const program = [
          join(bst10Folder ?? "", "python"),
          join(import.meta.dirname, "receive10.py"),
          join(bst10Folder ?? "", version),
        ];
        const command = [...program, "--pull-url", web.url, repository].join(" ");
        const sshd = await startSshd(await workspace.folder(`sshd-${name}`), {
          keys: [{ name: "tester", options: `restrict,command="${command}"` }],
        });
        return {
          repository,
          bin: sshd.bin,
          url: `ssh://${sshd.user}@127.0.0.1:${sshd.port}/artifacts`,
          async [Symbol.asyncDispose]() {
            web.server.closeAllConnections();
            web.server.close();
            await sshd[Symbol.asyncDispose]();
          },
        };
      }
    });
  }
}

/** Opens a cache by the `ssh` that gets there. */
function reached({ url, bin }: SshCache): Promise<OstreePlace> {
  process.env.PATH = `${bin}:${process.env.PATH}`;
  return openRemote(url);
}
