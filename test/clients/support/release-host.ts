import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { initReleaseRepository } from "../../../src/release/init-repository.ts";
import { blocksOf } from "../../docs/markdown.ts";
import { programFile } from "../../support/program-file.ts";
import { checkout } from "./checkout.ts";
import { OstreeRepository } from "./ostree-repository.ts";
import { runOk } from "./program.ts";
import { type Sshd, startSshd } from "./sshd.ts";
import type { Workspace } from "./workspace.ts";

/** A machine with one release repository, `os`, and an sshd through which it is published to. Disposing stops sshd. */
export interface ReleaseHost extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly releases: string;
  /** The OSTree repository, as everybody may read it. */
  readonly repository: OstreeRepository;
  /** The public keys that its signatures are checked with. */
  readonly trusted: string;
}

export interface ReleaseHostOptions {
  /** The content of the access file, if there is to be one. */
  readonly access?: string;
  /** What repository.yaml says besides title and signers. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** What the line of authorized_keys in docs/RELEASES.md has before the key, for the program of this checkout. */
async function lineFor(name: string, releases: string, access: string | undefined): Promise<string> {
  const page = await readFile(join(checkout, "docs/RELEASES.md"), "utf8");
  const [, line = ""] = /^(restrict,.*command="stillage receive .*") ssh-ed25519 /m.exec(page) ?? [];
  const { NODE_COMPILE_CACHE } = process.env;
  const cache = NODE_COMPILE_CACHE === undefined ? "" : `NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE} `;
  return (
    line
      // sshd gives its sessions nothing of our environment, and compiling takes most of a session's time.
      .replace("stillage receive", `${cache}${process.execPath} ${programFile("stillage")} receive`)
      .replace("--releases /srv/releases", `--releases ${releases}`)
      .replace(" --access /etc/stillage/access.yaml", access === undefined ? "" : ` --access ${access}`)
      .replace("--as ci", `--as ${name}`)
  );
}

/** What that page has sshd's configuration say, for the user who runs the tests. */
async function documentedConfig(): Promise<string> {
  const page = await readFile(join(checkout, "docs/RELEASES.md"), "utf8");
  const block = blocksOf(page).find(({ language }) => language === "sshd_config");
  return (block?.text ?? "").replace("User releases", `User ${userInfo().username}`);
}

export async function openReleaseHost(
  workspace: Workspace,
  { access, settings = {} }: ReleaseHostOptions = {},
): Promise<ReleaseHost> {
  const folder = await workspace.folder("releases");
  const gnupg = await workspace.folder("gnupg");
  const releases = join(folder, "releases");
  const gpg = (...words: string[]) => runOk("gpg", ["--homedir", gnupg, "--batch", "--quiet", ...words]);
  await gpg("--passphrase", "", "--quick-generate-key", "Releases <releases@example.com>", "ed25519", "sign", "never");
  const trusted = join(folder, "trusted.gpg");
  await gpg("--output", trusted, "--export");
  const signers = [{ gpg: "releases@example.com", home: gnupg }];
  await initReleaseRepository(releases, "os", { title: "Example OS", signers, ...settings });
  const accessFile = access === undefined ? undefined : join(folder, "access.yaml");
  if (accessFile !== undefined) await writeFile(accessFile, access ?? "");
  const keys = ["ci", "guest"].map(async (name) => ({ name, options: await lineFor(name, releases, accessFile) }));
  const sshd = await startSshd(await workspace.folder("sshd"), {
    keys: await Promise.all(keys),
    config: [await documentedConfig()],
  });
  return {
    ...{ sshd, releases, trusted },
    repository: OstreeRepository.at(join(releases, "os/public/repo")),
    async [Symbol.asyncDispose]() {
      await sshd[Symbol.asyncDispose]();
      // The agent that GnuPG started for this home.
      await runOk("gpgconf", ["--homedir", gnupg, "--kill", "all"]);
    },
  };
}

/** What a push that was broken off would have left: files in a repository that are not part of it. */
export async function leftovers({ repository }: ReleaseHost): Promise<string[]> {
  await mkdir(join(repository.path, "tmp"), { recursive: true });
  return (await readdir(join(repository.path, "tmp"))).filter((name) => name !== "cache");
}
