import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { casdProgram } from "./casd.ts";
import { clientsFolder, installed } from "./checkout.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import type { Project } from "./project.ts";

/** One entry of a `servers` list in BuildStream's user configuration. */
export interface CacheServer {
  readonly url: string;
  readonly push?: boolean;
  readonly type?: "all" | "index" | "storage";
  readonly "instance-name"?: string;
  /** Failures show early where nothing is said. */
  readonly "connection-config"?: object;
  readonly auth?: {
    readonly "server-cert"?: string;
    readonly "client-cert"?: string;
    readonly "client-key"?: string;
    readonly "access-token"?: string;
  };
}

/** The part of BuildStream's user configuration that differs from client to client. */
export interface BstConfiguration {
  readonly artifacts?: readonly CacheServer[];
  readonly sources?: readonly CacheServer[];
  /** Merged into the `cache` block. */
  readonly cache?: object;
}

/** What a run of bst said. */
export interface BstResult extends ProgramResult {
  /** Jobs of a queue ("Pull", "Build", "Push", "Fetch" ...) by what became of them; all zero for a queue that did not run. */
  queue(name: string): { readonly processed: number; readonly skipped: number; readonly failed: number };
}

/** One machine with BuildStream on it: a version, a configuration, and a cache that may be shared with other clients. */
export interface BstClient {
  /** Runs bst in the project's folder, whatever comes out. */
  run(project: Project, ...args: string[]): Promise<BstResult>;
  /** Runs bst and throws with its log where it fails. */
  ok(project: Project, ...args: string[]): Promise<BstResult>;
  /** The same machine and cache with another configuration. */
  configured(configuration: BstConfiguration): Promise<BstClient>;
  /** BuildStream's cache folder. */
  readonly cache: string;
}

/** Whether a version is of the first generation, whose project format differs. It comes from Debian. */
export function isBst1(version: string): boolean {
  return /^1\.[0-6]\./.test(version);
}

/** Whether a version has its servers in plain lists. */
const listsServers = (version: string): boolean => isBst1(version) || /^1\.9[1-3]\./.test(version);

/** Makes a machine of its own in the empty folder `folder`. */
export async function createBst(
  version: string,
  folder: string,
  configuration: BstConfiguration = {},
): Promise<BstClient> {
  const bst = isBst1(version)
    ? await installed("/usr/bin/bst", "bst1.sh")
    : await installed(join(clientsFolder, `bst-${version}/bin/bst`), "bst.sh");
  let configurations = 0;
  const configured = async (next: BstConfiguration): Promise<BstClient> => {
    configurations += 1;
    const file = join(folder, `buildstream-${configurations}.conf`);
    await mkdir(join(folder, "home"), { recursive: true });
    const written = listsServers(version) ? userConfiguration1(next) : userConfiguration(next, version);
    await writeFile(file, stringify(written, { aliasDuplicateObjects: false }));
    const env = environment(folder, version);
    const run = async (project: Project, ...args: string[]) => {
      const words = ["--no-interactive", "--no-colors", "--config", file, ...args];
      return withQueues(await runProgram(bst, words, { cwd: project.folder, env }));
    };
    const ok = async (project: Project, ...args: string[]) => {
      const result = await run(project, ...args);
      if (result.status === 0) return result;
      throw new Error(`bst ${args.join(" ")} exited with ${result.status}\n${result.stdout}\n${result.stderr}`);
    };
    return { run, ok, configured, cache: join(folder, "cache/buildstream") };
  };
  return configured(configuration);
}

/** Nothing of the user's own configuration, and no proxy: casd would use one even for loopback addresses. */
function environment(folder: string, version: string): NodeJS.ProcessEnv {
  // Up to 1.93 the wheel does not bring casd, and takes the one that it finds.
  const casd = version.startsWith("1.93.") ? `${dirname(casdProgram())}:` : "";
  return {
    PATH: `${casd}${process.env.PATH}`,
    HOME: join(folder, "home"),
    LANG: "C.UTF-8",
    XDG_CACHE_HOME: join(folder, "cache"),
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_DATA_HOME: join(folder, "data"),
  };
}

/** Failures show at the first try: no retries of jobs, and of calls one after 100 ms. */
function userConfiguration(configuration: BstConfiguration, version: string): object {
  const early = version.startsWith("1."); // knows fewer keys
  const patience = early ? {} : { "connection-config": { "retry-limit": 1, "retry-delay": 100 } };
  const reserved = early ? {} : { "reserved-disk-space": "10M" };
  const servers = (list: readonly CacheServer[] = []) => ({
    servers: list.map((entry) => ({ ...patience, ...entry })),
  });
  return {
    scheduler: { "network-retries": 0, builders: 2 },
    logging: { "throttle-ui-updates": false, "error-lines": 50, "message-lines": 50 },
    cache: { quota: "4G", ...reserved, ...configuration.cache },
    artifacts: servers(configuration.artifacts),
    "source-caches": servers(configuration.sources),
  };
}

/** The same for versions up to 1.93, which know one kind of server, and have source caches from 1.91 on. */
function userConfiguration1({ artifacts, sources }: BstConfiguration): object {
  const servers = (list: readonly CacheServer[] = []) =>
    list.map(({ url, push = false, auth }) => ({ url, push, ...auth }));
  return {
    scheduler: { "network-retries": 0, builders: 2 },
    logging: { "error-lines": 50, "message-lines": 50 },
    artifacts: servers(artifacts),
    ...(sources && { "source-caches": servers(sources) }),
  };
}

function withQueues(result: ProgramResult): BstResult {
  const queue = (name: string) => {
    const found = new RegExp(`${name} Queue:\\s+processed (\\d+),\\s+skipped (\\d+),\\s+failed (\\d+)`).exec(
      result.stderr,
    );
    const count = (group: number) => Number(found?.[group] ?? 0);
    return { processed: count(1), skipped: count(2), failed: count(3) };
  };
  return { ...result, queue };
}
