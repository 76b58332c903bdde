import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Config, LogLevel } from "../config/config.ts";
import { defaultConfig } from "../config/load.ts";
import { startSharing } from "../server/shared-store.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand, runCommand } from "./new-command.ts";
import { serveUntilStopped } from "./serve-until-stopped.ts";

const name = "bst-artifact-server";

/** What the old program's levels are called here. */
const logLevels: Readonly<Record<string, LogLevel>> = { warning: "warn", info: "info", trace: "debug" };

interface OldFlags {
  readonly port: string;
  readonly serverKey?: string;
  readonly serverCert?: string;
  readonly clientCerts?: string;
  readonly enablePush?: boolean;
  readonly quota: string;
  readonly indexOnly?: boolean;
  readonly logLevel: string;
}

/** The program `bst-artifact-server`, with the flags of BuildStream's program of that name; gives its exit status. */
export function runBstArtifactServer(args: readonly string[]): Promise<number> {
  let status: number = exitStatus.usage;
  const command = bstArtifactServerProgram().action(async (repo: string) => {
    const outcome = configOf(command.opts<OldFlags>(), repo, process.cwd());
    if (!("store" in outcome)) {
      for (const message of outcome) process.stderr.write(`${name}: ${message}\n`);
      return;
    }
    status = await serveUntilStopped(outcome, { name, start: startSharing });
  });
  return runCommand(command, args, () => status);
}

/** Its flags, as the manual page of the last release with the program has them. */
export function bstArtifactServerProgram(): Command {
  const command = newCommand(name, name)
    .description("Serve artifacts and sources, with the flags of BuildStream's program of this name")
    .requiredOption("-p, --port <INTEGER>", "Port number")
    .option("--server-key <FILE>", "Private server key for TLS (PEM-encoded)")
    .option("--server-cert <FILE>", "Public server certificate for TLS (PEM-encoded)")
    .option("--client-certs <FILE>", "Public client certificates for TLS (PEM-encoded)")
    .option("--enable-push", "Allow clients to upload blobs and update the cache")
    .option("--quota <BYTES>", "Maximum disk usage in bytes", "10000000000")
    .option("--index-only", 'Only provide the artifact and source services ("index"), not the CAS ("storage")')
    .addOption(
      new Option("--log-level <LEVEL>", "The least important messages that are logged")
        .choices(Object.keys(logLevels))
        .default("warning"),
    )
    .argument("REPO", "The directory that holds everything");
  return addUse(command, {
    examples: [
      {
        says: "As units of BuildStream's own server have it",
        run: "bst-artifact-server --port 11002 --server-key server.key --server-cert server.crt --client-certs clients.crt --enable-push /srv/artifacts",
      },
    ],
  });
}

/** The configuration that old flags mean, or everything that is wrong with them. */
function configOf(flags: OldFlags, repo: string, folder: string): Config | readonly string[] {
  const { port, serverKey, serverCert, clientCerts, quota } = flags;
  const problems: string[] = [];
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) problems.push(`--port: "${port}" is not a port`);
  const bytes = Number(quota);
  if (!Number.isSafeInteger(bytes) || bytes < 1) problems.push(`--quota: "${quota}" is not a number of bytes`);
  if ((serverKey === undefined) !== (serverCert === undefined)) {
    problems.push("--server-key and --server-cert are both required for TLS");
  }
  if (clientCerts !== undefined && serverKey === undefined) {
    problems.push("--client-certs can only be used with --server-key");
  }
  if (problems.length > 0) return problems;
  const path = (file: string): string => resolve(folder, file);
  const tls =
    serverKey === undefined || serverCert === undefined
      ? undefined
      : {
          certificate: path(serverCert),
          key: path(serverKey),
          clientCertificates: clientCerts === undefined ? undefined : path(clientCerts),
          clientAuth: "required" as const,
        };
  return {
    ...defaultConfig(folder),
    store: path(repo),
    listeners: [{ address: `${everyAddress()}:${port}`, push: flags.enablePush === true, tls }],
    services: flags.indexOnly === true ? "index" : "all",
    quota: bytes,
    logLevel: logLevels[flags.logLevel] ?? "warn",
  };
}

/** IPv6 takes IPv4 connections as well; a kernel without it has IPv4 alone. */
function everyAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.some(({ family }) => family === "IPv6") ? "[::]" : "0.0.0.0";
}
