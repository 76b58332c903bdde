import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ArchiveRepository } from "../../src/ostree/archive/archive-repository.ts";
import { encodeDetached, withSignature } from "../../src/ostree/detached.ts";
import { signWithGpg } from "../../src/ostree/gpg-sign.ts";
import { commitDirectory, ostree } from "./support/ostree.ts";
import { runOk } from "./support/program.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

const signer = "releases@example.com";

describe("Debian's ostree pulls releases", () => {
  let workspace: Workspace;
  let releases: string;
  let server: ServerUnderTest;
  let home: string;
  let key: string;

  before(async () => {
    workspace = await createWorkspace();
    releases = await workspace.folder("releases");
    home = await workspace.folder("gpg");
    await chmod(home, 0o700);
    const gpg = ["--homedir", home, "--batch", "--passphrase", ""];
    await runOk("gpg", [...gpg, "--quick-generate-key", signer, "ed25519", "sign"]);
    key = join(home, "public.asc");
    await runOk("gpg", [...gpg, "--armor", "--output", key, "--export", signer]);
    server = await startServer(await workspace.folder("store"), ["--releases", releases]);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await runOk("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]);
    await workspace[Symbol.asyncDispose]();
  });

  /** A release repository, empty. */
  const repository = async (name: string): Promise<string> => {
    const folder = join(releases, name, "public", "repo");
    await mkdir(folder, { recursive: true });
    return folder;
  };

  /** A client that takes no list of branches without a good signature. */
  const client = async (name: string): Promise<string> => {
    const folder = await workspace.folder("client");
    await ostree(folder, "init", "--mode=archive");
    const checks = ["--set=gpg-verify=false", "--set=gpg-verify-summary=true", `--gpg-import=${key}`];
    await ostree(folder, "remote", "add", ...checks, "releases", `http://${server.address}/releases/${name}/repo`);
    return folder;
  };

  /** Pulls in new repositories, which know no list yet, as long as `publishing` goes on; counts the pulls. */
  const pullDuring = async (name: string, publishing: Promise<unknown>): Promise<number> => {
    let over = false;
    const ended = publishing.finally(() => {
      over = true;
    });
    let pulls = 0;
    const loop = async (): Promise<void> => {
      const kept = await client(name);
      do {
        const folder = pulls % 2 === 0 ? kept : await client(name);
        await ostree(folder, "pull", "releases", "stable");
        pulls++;
      } while (!over);
    };
    await Promise.all([ended, loop(), loop()]);
    return pulls;
  };

  test("while new ones are published, and never finds a list with another one's signature", async () => {
    const folder = await repository("os");
    const archive = await ArchiveRepository.init(folder);
    const tree = await workspace.folder("tree");
    const sign = async (summary: Uint8Array): Promise<Uint8Array> =>
      encodeDetached(withSignature([], "gpg", await signWithGpg(signer, summary, { homedir: home })));
    const publish = async (number: number): Promise<string> => {
      await writeFile(join(tree, "version"), `${number}`);
      const { commit } = await commitDirectory(archive, "stable", tree, { timestamp: 1_600_000_000 + number, sign });
      return commit;
    };
    let last = await publish(0);
    const publishing = async (): Promise<void> => {
      for (let i = 1; i <= 15; i++) last = await publish(i);
    };
    const pulls = await pullDuring("os", publishing());
    assert.ok(pulls >= 4, String(pulls));
    // The newest at once: both files of the last publication have the same time.
    const late = await client("os");
    await ostree(late, "pull", "releases", "stable");
    assert.equal((await ostree(late, "rev-parse", "releases:stable")).trim(), last);
  });

  test("that its own program signs, whose two files have different times", async () => {
    const folder = await repository("foreign");
    await ostree(folder, "init", "--mode=archive");
    const tree = await workspace.folder("tree");
    const publish = async (number: number): Promise<void> => {
      await writeFile(join(tree, "version"), `${number}`);
      await ostree(folder, "commit", "-b", "stable", "--canonical-permissions", tree);
      await ostree(folder, "summary", "-u", `--gpg-sign=${signer}`, `--gpg-homedir=${home}`);
    };
    await publish(0);
    const publishing = async (): Promise<void> => {
      for (let i = 1; i <= 5; i++) await publish(i);
    };
    const pulls = await pullDuring("foreign", publishing());
    assert.ok(pulls >= 2, String(pulls));
    const newest = (await ostree(folder, "rev-parse", "stable")).trim();
    // It is served once it has settled.
    for (let found = ""; found !== newest; ) {
      const late = await client("foreign");
      await ostree(late, "pull", "releases", "stable");
      found = (await ostree(late, "rev-parse", "releases:stable")).trim();
    }
  });
});
