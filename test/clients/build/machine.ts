import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { programFile } from "../../support/program-file.ts";
import { clientsFolder, installed } from "../support/checkout.ts";
import { type ProgramResult, runProgram } from "../support/program.ts";
import type { Project } from "../support/project.ts";

/** A line of `stillage build --json`. */
export interface BuildEvent {
  readonly event: string;
  readonly at?: number;
  readonly queue?: "pull" | "fetch" | "build" | "push";
  readonly element?: string;
  readonly result?: string;
  readonly text?: string;
  readonly outcome?: { readonly kind: string; readonly by?: string; readonly cached?: boolean };
  readonly why?: { readonly message: string };
  /** Of the summary: how many elements came to what. */
  readonly outcomes?: Readonly<Record<string, number>>;
  readonly pushes?: Readonly<Record<string, number>>;
  readonly whole?: boolean;
  readonly how?: string;
  readonly ended?: string | null;
}

export interface BuildRun {
  readonly status: number | null;
  readonly events: readonly BuildEvent[];
  readonly summary: BuildEvent;
  readonly stderr: string;
  /** Elements that came to this. */
  settled(kind: string): string[];
}

/** A machine with BuildStream 2.8.1, a cache and a user configuration. */
export interface Machine {
  readonly folder: string;
  /** `stillage build --json`, to its end; `during` sees each event, and may signal the process. */
  build(words: readonly string[], during?: (event: BuildEvent, child: ChildProcess) => void): Promise<BuildRun>;
  /** `stillage build` as it is, whatever comes out. */
  stillage(words: readonly string[]): Promise<ProgramResult>;
  /** Commands of a shell, in the project. */
  shell(script: string): Promise<ProgramResult>;
  /** The real thing, on this machine's cache and with the servers that are given: it waits for dead ones, every time. */
  bst(servers: readonly object[], ...words: string[]): Promise<ProgramResult>;
  /** Programs of BuildStream that this machine runs now, as their command lines. */
  running(): Promise<string[]>;
}

/** `more` stands in the user configuration besides the servers for artifacts. */
export async function createMachine(
  folder: string,
  project: Project,
  servers: readonly object[],
  more: object = {},
): Promise<Machine> {
  const bst = await installed(join(clientsFolder, "bst-2.8.1/bin/bst"), "bst.sh");
  const configuration = {
    cachedir: join(folder, "cache"),
    logdir: join(folder, "logs"),
    scheduler: { "network-retries": 1, builders: 2, fetchers: 2, pushers: 2 },
    cache: { quota: "4G", "reserved-disk-space": "10M" },
    ...more,
  };
  let files = 0;
  const configured = async (artifacts: readonly object[], path?: string): Promise<string> => {
    files += 1;
    const file = path ?? join(folder, `buildstream-${files}.conf`);
    await writeFile(file, stringify({ ...configuration, artifacts: { servers: artifacts } }));
    return file;
  };
  const [home, bin] = [join(folder, "home"), join(folder, "bin")];
  await mkdir(join(home, ".config"), { recursive: true });
  await configured(servers, join(home, ".config/buildstream.conf"));
  await mkdir(bin);
  await symlink(bst, join(bin, "bst"));
  const program = `#!/bin/sh\nexec '${process.execPath}' '${programFile("stillage")}' "$@"\n`;
  await writeFile(join(bin, "stillage"), program, { mode: 0o755 });
  const env = {
    ...{ PATH: `${bin}:${process.env.PATH}`, HOME: home, LANG: "C.UTF-8", TMPDIR: folder },
    // Else each run would compile all of the sources.
    ...{ NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
  };
  const options = { cwd: project.folder, env };
  const words = [programFile("stillage"), "build"];
  return {
    folder,
    stillage: (more) => runProgram(process.execPath, [...words, ...more], options),
    shell: (script) => runProgram("/bin/sh", ["-e", "-c", script], options),
    build: (more, during) => runBuild([...words, "--json", ...more], options, during),
    bst: async (others, ...more) => {
      const common = ["--no-interactive", "--no-colors", "--config", await configured(others)];
      return runProgram(bst, [...common, ...more], options);
    },
    running: () => processesOf(folder),
  };
}

async function runBuild(
  words: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  during: (event: BuildEvent, child: ChildProcess) => void = () => {},
): Promise<BuildRun> {
  const child = spawn(process.execPath, words, { ...options, timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.withResolvers<number | null>();
  child.once("close", ended.resolve);
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const events: BuildEvent[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as BuildEvent;
    events.push(event);
    during(event, child);
  }
  const status = await ended.promise;
  const summary = events.find(({ event }) => event === "summary") ?? { event: "none" };
  const settled = (kind: string): string[] =>
    events.flatMap(({ outcome, element }) => (outcome?.kind === kind && element !== undefined ? [element] : []));
  return { status, events, summary, stderr, settled };
}

/** Command lines in /proc that name the folder, or whose environment does: casd is told of it alone. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const text = async (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    const words = (await text("cmdline")).replaceAll("\0", " ");
    if (words !== "" && (words.includes(folder) || (await text("environ")).includes(folder))) found.push(words);
  }
  return found;
}
