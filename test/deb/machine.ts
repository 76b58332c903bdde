import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkout } from "../clients/support/checkout.ts";
import { type ProgramResult, runOk, runProgram } from "../clients/support/program.ts";

/** A Debian with systemd on this machine's files, whose changes nothing outlives (boot.sh). Disposing switches it off. */
export interface Machine extends AsyncDisposable {
  /** Runs a command of the shell as root and gives its output; rejects where it fails. */
  sh(script: string): Promise<string>;
  /** The same, whatever its exit status. */
  try(script: string): Promise<ProgramResult>;
  /** Runs a program of this machine with the other one's network. */
  client(program: string, args: readonly string[]): Promise<string>;
  /** Every file, link and removal by which it differs from this machine, and each folder that this machine has not. */
  changes(): Set<string>;
}

/** What `boot.sh` needs of the kernel, tried in namespaces of its own. */
const probe = `
mount -t tmpfs none /mnt
mkdir /mnt/cgroup /mnt/upper /mnt/work /mnt/new
mount -t cgroup2 none /mnt/cgroup
mkdir "/mnt/cgroup/stillage-probe-$$"
rmdir "/mnt/cgroup/stillage-probe-$$"
mount -t overlay none -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/new`;

/** Why no machine can be booted here, as for a user other than root, or in a container that may not mount; `undefined` where one can. */
export async function whyNoMachine(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root boots a machine";
  const namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork"];
  const { status, stderr } = await runProgram("unshare", [...namespaces, "bash", "-euc", probe]);
  return status === 0 ? undefined : `no machine can be booted here: ${stderr.trim()}`;
}

export async function bootMachine(): Promise<Machine> {
  const child = spawn("unshare", ["--mount", join(import.meta.dirname, "boot.sh")], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said += text;
  });
  const failed = ended.then(([status]) => Promise.reject(new Error(`the machine ended with ${status}: ${said}`)));
  const [first] = (await Promise.race([once(createInterface(child.stdout), "line"), failed])) as [string];
  failed.catch(() => {});
  const [init = "", upper = ""] = first.split(" ");
  const inside = ["--target", init, "--all", "--root", "--wd", "--", "bash", "--norc", "-euo", "pipefail", "-c"];
  // What a shell of root has, and nothing of this process: its Node least of all.
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    LC_ALL: "C.UTF-8",
    HOME: "/nonexistent",
    DEBIAN_FRONTEND: "noninteractive",
  };
  return {
    sh: (script) => runOk("nsenter", [...inside, script], { env, cwd: "/" }),
    try: (script) => runProgram("nsenter", [...inside, script], { env, cwd: "/" }),
    client: (program, args) => runOk("nsenter", ["--target", init, "--net", "--", program, ...args], { cwd: checkout }),
    changes: () => new Set(changesIn(upper, "")),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

function changesIn(upper: string, folder: string): string[] {
  return readdirSync(join(upper, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return [...(existsSync(path) ? [] : [`${path}/`]), ...changesIn(upper, path)];
  });
}
