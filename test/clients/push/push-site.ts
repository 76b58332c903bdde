import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { blocksOf } from "../../docs/markdown.ts";
import { programFile } from "../../support/program-file.ts";
import { checkout } from "../support/checkout.ts";
import { runOk } from "../support/program.ts";
import { type Sshd, type SshdOptions, type SshKey, startSshd } from "../support/sshd.ts";
import { type ServerUnderTest, startServer } from "../support/stillage.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

/** A server on a new store, and an sshd whose keys may do nothing but push into it. */
export interface PushSite extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly server: ServerUnderTest;
  /** The store's directory. */
  readonly store: string;
  readonly sshd: Sshd;
  /** Where clients are told to pull. */
  readonly pullUrl: string;
  /** What reaches the receiver with this key, of those that there are. */
  ssh(key?: string): readonly string[];
}

export interface PushSiteOptions {
  /** Options of `serve`. */
  readonly serve?: readonly string[];
  /** Options of the receiver, by the names of the keys; `tester` unless told. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly instance?: string;
  /** How sshd is set up, where it is not by the keys above. */
  readonly setUp?: (pullUrl: string, store: string) => Promise<SshdOptions>;
}

const receive = `${process.execPath} ${programFile("bst-artifact-receive")}`;

/** The command that takes a push, in words that need no quotes. */
export function receiver(pullUrl: string, store: string): string {
  return `${receive} --pull-url ${pullUrl} ${store}`;
}

/** How docs/OSTREE.md sets sshd up: by lines of `authorized_keys`, or by one command for all keys. */
export async function documented(way: "keys" | "one command", pullUrl: string, store: string): Promise<SshdOptions> {
  const blocks = blocksOf(await readFile(join(checkout, "docs/OSTREE.md"), "utf8"));
  const here = (text: string): string =>
    text
      .replace("bst-artifact-receive", receive)
      .replace(/http:\S+/, pullUrl)
      .replace("/var/lib/stillage", store)
      .replace("User stillage", `User ${userInfo().username}`)
      .replace(/.*AuthorizedKeysFile.*\n/, "");
  const [match = "", command = ""] = blocks
    .filter(({ language }) => language === "sshd_config")
    .map(({ text }) => here(text));
  const line = here(blocks.find(({ language }) => language === "authorized_keys")?.text ?? "");
  const [, options = ""] = /^(restrict,command="[^"]+") ssh-/.exec(line) ?? [];
  return way === "keys"
    ? { keys: [{ name: "tester", options }], config: [match] }
    : { keys: [{ name: "tester", options: "restrict" }], config: [match, command] };
}

export async function openPushSite({
  serve = [],
  keys = { tester: "" },
  instance,
  setUp,
}: PushSiteOptions = {}): Promise<PushSite> {
  await using opened = new AsyncDisposableStack();
  const workspace = opened.use(await createWorkspace());
  const store = await workspace.folder("store");
  const server = opened.use(await startServer(store, serve));
  const pullUrl = `http://${server.address}/ostree${instance === undefined ? "" : `/${instance}`}`;
  const sshdOptions = setUp === undefined ? { keys: forced(keys, pullUrl, store) } : await setUp(pullUrl, store);
  const sshd = opened.use(await startSshd(await workspace.folder("sshd"), sshdOptions));
  const parts = opened.move();
  return {
    workspace,
    server,
    store,
    sshd,
    pullUrl,
    // The words behind the host are what BuildStream says; the key decides what is run.
    ssh: (key = "tester") => ["ssh", "-F", sshd.clientConfig, key, "bst-artifact-receive", "--verbose", "/artifacts"],
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function forced(keys: Readonly<Record<string, string>>, pullUrl: string, store: string): SshKey[] {
  return Object.entries(keys).map(([name, options]) => ({
    name,
    options: `restrict,command="${receiver(pullUrl, store)} ${options}"`,
  }));
}

/** What the pusher in Python says came of a push. */
export interface PushReport {
  readonly info?: { readonly mode: number; readonly refs: object; readonly pull_url: string } | null;
  readonly status?: { readonly result: boolean; readonly message: string };
  readonly objects?: number;
  readonly done?: boolean;
  readonly broken?: string;
  readonly exit: number;
  readonly stderr: string;
}

/** Debian's, which has libostree. */
const python = "/usr/bin/python3";

/** Pushes refs of a repository as BuildStream 1.0 does, through `command`. */
export async function push(
  command: readonly string[],
  repository: string,
  refs: readonly string[],
  options: readonly string[] = [],
): Promise<PushReport> {
  const program = join(checkout, "test/clients/support/ostree-pusher.py");
  return JSON.parse(await runOk(python, [program, ...options, repository, ...refs, "--", ...command])) as PushReport;
}

/** Sends bytes to a program that is to end by itself, without the end of its input, and gives what it answers. */
export async function converse(
  [program = "", ...args]: readonly string[],
  input: Uint8Array,
): Promise<{ readonly status: number | null; readonly output: Buffer; readonly errors: string }> {
  const child = spawn(program, args, { stdio: "pipe" });
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (piece: Buffer) => output.push(piece));
  child.stderr.on("data", (piece: Buffer) => errors.push(piece));
  child.stdin.on("error", () => {});
  child.stdin.write(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output: Buffer.concat(output), errors: Buffer.concat(errors).toString() };
}
