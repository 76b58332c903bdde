import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { blocksOf } from "../../docs/markdown.ts";
import { programFile } from "../../support/program-file.ts";
import { checkout } from "./checkout.ts";
import { type PlainFiles, servePlainFiles } from "./plain-files.ts";
import { type ProgramResult, runOk, runProgram } from "./program.ts";

/** A machine of somebody who signs releases: `stillage` and `gpg` in a folder, and a web server that knows nothing but the files in `public`. */
export interface SigningPlace extends AsyncDisposable {
  readonly folder: string;
  readonly web: PlainFiles;
  /** The repository's directory, which is not made yet. */
  readonly repository: string;
  /** Runs lines of a shell; whatever comes of them. */
  run(script: string): Promise<ProgramResult>;
  /** Runs lines that have to end well, each of them, and gives what they print. */
  ok(script: string): Promise<string>;
  /** Runs `stillage` and kills it as soon as something is so, or lets it end before. */
  killed(words: readonly string[], isNow: () => boolean): Promise<void>;
  /** Makes a GPG key without a passphrase. */
  gpgKey(address: string, ...words: readonly string[]): Promise<void>;
}

export async function openSigningPlace(): Promise<SigningPlace> {
  // The agent's socket is in there, and its path may have some hundred characters at most.
  const folder = await mkdtemp(join(tmpdir(), "sg-"));
  const gnupg = join(folder, "g");
  const releases = join(folder, "releases");
  const bin = join(folder, "bin");
  for (const each of [gnupg, releases, bin]) await mkdir(each);
  await chmod(gnupg, 0o700);
  await mkdir(join(folder, "tree/usr/bin"), { recursive: true });
  await writeFile(join(folder, "tree/usr/bin/tool"), "#!/bin/sh\necho 1\n", { mode: 0o755 });
  const program = `#!/bin/sh\nexec ${process.execPath} ${programFile("stillage")} "$@"\n`;
  await writeFile(join(bin, "stillage"), program, { mode: 0o755 });
  const repository = join(releases, "os");
  const web = await servePlainFiles(join(repository, "public"));
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    GNUPGHOME: gnupg,
    STILLAGE_RELEASES: releases,
    URL: web.url,
  };
  const bash = ["-euo", "pipefail", "-s"];
  return {
    folder,
    web,
    repository,
    run: (script) => runProgram("bash", bash, { cwd: folder, env, input: script }),
    ok: (script) => runOk("bash", bash, { cwd: folder, env, input: script }),
    killed: async (words, isNow) => {
      const child = spawn(process.execPath, [programFile("stillage"), ...words], {
        cwd: folder,
        env,
        stdio: "ignore",
      });
      const ended = once(child, "close");
      while (child.exitCode === null && !isNow()) await turn();
      child.kill("SIGKILL");
      await ended;
    },
    gpgKey: async (address, ...words) => {
      const made = ["--batch", "--quiet", "--passphrase", "", "--quick-generate-key", address, "ed25519", "sign"];
      await runOk("gpg", [...words, ...made, words.length === 0 ? "never" : "1d"], { env });
    },
    async [Symbol.asyncDispose]() {
      await runProgram("gpgconf", ["--kill", "gpg-agent"], { env });
      await web[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The lines for a shell in a section of docs/RELEASES.md, to the next of the same rank. */
export async function documented(section: string): Promise<string> {
  const text = await readFile(join(checkout, "docs/RELEASES.md"), "utf8");
  const [, rank = "", found = ""] = new RegExp(`^(#+) ${section}\\n([\\s\\S]*)`, "m").exec(text) ?? [];
  const end = found.search(new RegExp(`^#{1,${rank.length}} `, "m"));
  const blocks = blocksOf(end < 0 ? found : found.slice(0, end)).filter(({ language }) => language === "sh");
  if (blocks.length === 0) throw new Error(`docs/RELEASES.md has no commands in ${JSON.stringify(section)}`);
  return blocks.map(({ text: lines }) => lines).join("");
}
