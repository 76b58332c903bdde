import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { showFormat } from "../../../src/release/bst-show.ts";
import { run } from "../../cli/support/programs.ts";
import { makeGpgHome } from "../support/gpg-home.ts";
import { contentOf, ostree, realFsck } from "../support/ostree.ts";
import { type Created, releaseCommands } from "../support/releases.ts";
import { artifactsAt, openSite } from "../support/site.ts";

/** An import with odd names and modes, a build with links, a compose, and a stack, which has no files of its own. */
const elements = ["data/tree.bst", "app.bst", "runtime.bst", "all.bst"];

const quota = 40e6;

/** Three times the quota, in blobs that are streamed. */
const fillers = 24;
const fillerBytes = 5e6;

const maxAttempts = 100;
const retryMs = 200;

/** Releases of real artifacts, which are the same as those that the real tools make of a checkout, and are there when the cache has forgotten all. */
export function testOutlives(version: string): void {
  test("releases are what a checkout and `ostree commit` give, and stay when the cache has gone far past its quota", async () => {
    await using site = await openSite(version);
    const folder = await site.workspace.folder("store");
    const releases = await site.workspace.folder("releases");
    const gpg = await makeGpgHome(await site.workspace.folder("gnupg"));
    const options = ["--releases", releases, "--quota", String(quota), "--lease", "0s"];
    const server = await site.serve(options, folder);
    const bst = await site.machine("builder", artifactsAt(server, true));
    await bst.ok(site.project, "build", "all.bst");
    const commands = releaseCommands(releases);
    await commands.ok("init", "os", "--gpg", gpg.key, "--gpg-home", gpg.folder);
    const archive = join(releases, "os/public/repo");

    const shown = await bst.ok(site.project, "show", "--deps", "all", "--format", showFormat, "all.bst");
    const show = join(site.workspace.path, "show.txt");
    await writeFile(show, shown.stdout);
    const scratch = await site.workspace.folder("scratch");
    await ostree(scratch, "init", "--mode=archive");
    const contents = new Map<string, string>();
    for (const [i, element] of elements.entries()) {
      const words = [element, "--branch", `element/${i}`, "--version", "1", "--store", folder, "--show", show];
      const { outcome, content } = await commands.json<Created>("create", ...words);
      assert.equal(outcome, "published");
      const checkout = join(site.workspace.path, `checkout-${i}`);
      await bst.ok(site.project, "artifact", "checkout", "--deps", "none", "--directory", checkout, element);
      await ostree(scratch, "commit", "--branch=real", "--canonical-permissions", checkout);
      assert.equal(content.checksum, await contentOf(scratch, "real"), element);
      assert.equal(content.checksum, await contentOf(archive, `element/${i}`), element);
      contents.set(`element/${i}`, content.checksum);
      if (element !== elements.at(-1)) continue;
      const again = await commands.json<Created>("create", ...words);
      assert.equal(again.outcome, "unchanged");
    }
    await realFsck(archive);

    await fill(server.address);
    const sweep = await run("stillage", ["artifact", "list", "--in", folder], { cwd: folder });
    assert.deepEqual([sweep.status, sweep.stdout], [0, ""], "the cache has forgotten every artifact");
    const late = await commands.run("create", "app.bst", "--branch", "late", "--store", folder);
    assert.deepEqual([late.status, late.stdout], [1, ""]);
    assert.match(late.stderr, /there is no artifact of an element "app\.bst"/);

    const client = await site.workspace.folder("client");
    await ostree(client, "init", "--mode=archive");
    const remote = [`--gpg-import=${gpg.publicKey}`, "os", `http://${server.address}/releases/os/repo`];
    await ostree(client, "remote", "add", ...remote);
    await ostree(client, "remote", "gpg-import", "os", "--keyring", gpg.publicKey).catch(() => "");
    for (const [branch, checksum] of contents) {
      await ostree(client, "pull", "os", branch);
      assert.equal(await contentOf(client, `os:${branch}`), checksum, branch);
      const out = join(site.workspace.path, `out-${branch.replace("/", "-")}`);
      await ostree(client, "checkout", "--user-mode", `os:${branch}`, out);
    }
    await realFsck(client);
    const verified = await commands.run("verify");
    assert.equal(verified.status, 0, verified.stderr + verified.stdout);
    assert.match(await readFile(join(site.workspace.path, "out-element-1/opt/app/app.txt"), "utf8"), /^berth 7\n/);
  });
}

/** As clients do it: what does not fit yet is sent again when room has been made. */
async function fill(address: string): Promise<void> {
  for (let i = 0; i < fillers; i++) {
    const bytes = randomBytes(fillerBytes);
    const hash = createHash("sha256").update(bytes).digest("hex");
    let status = 0;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      ({ status } = await fetch(`http://${address}/cas/${hash}`, { method: "PUT", body: bytes }));
      if (status !== 503) break;
      await delay(retryMs);
    }
    assert.ok(status === 200 || status === 204, `a blob was answered with ${status}`);
  }
}
