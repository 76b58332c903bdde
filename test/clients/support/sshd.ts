import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { installed } from "./checkout.ts";
import { accepting, unusedPort } from "./port.ts";
import { runOk } from "./program.ts";

/** A key that may log in, and what it may do. */
export interface SshKey {
  /** What `ssh NAME` connects with this key by. */
  readonly name: string;
  /** The options before the key in `authorized_keys`, such as `restrict,command="…"`. */
  readonly options: string;
}

export interface SshdOptions {
  readonly keys: readonly SshKey[];
  /** More lines of sshd_config(5). */
  readonly config?: readonly string[];
}

/** A running sshd on a loopback port, with keys of its own; the user who logs in is the one who runs it. */
export interface Sshd extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** The `ssh_config` that knows the keys by their names, and the first one for every other host: `ssh -F FILE NAME`. */
  readonly clientConfig: string;
  /** A folder with an `ssh` that uses that configuration: put before others in PATH it reaches this sshd whatever the host. */
  readonly bin: string;
  /** What sshd has logged. */
  log(): Promise<string>;
}

/** Starts sshd in the empty folder `folder`. */
export async function startSshd(folder: string, { keys, config = [] }: SshdOptions): Promise<Sshd> {
  const program = await installed("/usr/sbin/sshd", "sshd.sh");
  const [port, user] = [await unusedPort(), userInfo().username];
  const path = (name: string): string => join(folder, name);
  const logFile = path("sshd.log");
  const makeKey = (name: string): Promise<string> =>
    runOk("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path(name)]);
  await Promise.all([makeKey("host"), ...keys.map(({ name }) => makeKey(`key-${name}`))]);
  const publicKey = async (name: string): Promise<string> => (await readFile(path(`${name}.pub`), "utf8")).trim();
  const authorized = keys.map(async ({ name, options }) => `${options} ${await publicKey(`key-${name}`)}\n`);
  await writeFile(path("authorized_keys"), (await Promise.all(authorized)).join(""), { mode: 0o600 });
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${path("host")}`,
    `AuthorizedKeysFile ${path("authorized_keys")}`,
    `PidFile ${path("sshd.pid")}`,
    "StrictModes no", // the folder is below one that everybody may write to
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "MaxStartups 100:30:200", // several clients come at once
    "LogLevel VERBOSE",
    ...config,
  ];
  await writeFile(path("sshd_config"), `${lines.join("\n")}\n`);
  await writeFile(path("known_hosts"), `[127.0.0.1]:${port} ${await publicKey("host")}\n`);
  await writeFile(path("ssh_config"), clientConfig({ port, user, keys, path }));
  await mkdir(path("bin"));
  await writeFile(path("bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F '${path("ssh_config")}' "$@"\n`);
  await chmod(path("bin/ssh"), 0o755);
  // Where sshd is not a service yet, nobody has made the directory that it locks itself into.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const child = spawn(program, ["-D", "-f", path("sshd_config"), "-E", logFile], { stdio: "inherit" });
  const ended = once(child, "close");
  const log = (): Promise<string> => readFile(logFile, "utf8");
  try {
    await Promise.race([
      accepting({ port, host: "127.0.0.1" }),
      ended.then(async () => Promise.reject(new Error(`sshd ended: ${await log().catch(String)}`))),
    ]);
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
  return {
    port,
    user,
    clientConfig: path("ssh_config"),
    bin: path("bin"),
    log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

interface Client {
  readonly port: number;
  readonly user: string;
  readonly keys: readonly SshKey[];
  readonly path: (name: string) => string;
}

function clientConfig({ port, user, keys, path }: Client): string {
  const named = keys.flatMap(({ name }) => [`Host ${name}`, `  IdentityFile ${path(`key-${name}`)}`]);
  const first = keys[0] === undefined ? [] : [`  IdentityFile ${path(`key-${keys[0].name}`)}`];
  const others = keys.map(({ name }) => `!${name}`).join(" ");
  const lines = [
    ...named,
    `Host * ${others}`,
    ...first,
    "Host *",
    "  HostName 127.0.0.1",
    `  Port ${port}`,
    `  User ${user}`,
    "  IdentitiesOnly yes",
    "  IdentityAgent none",
    "  BatchMode yes",
    `  UserKnownHostsFile ${path("known_hosts")}`,
    "  GlobalKnownHostsFile none",
    "  StrictHostKeyChecking yes",
    "  LogLevel ERROR",
  ];
  return `${lines.join("\n")}\n`;
}
