import { hostname } from "node:os";
import type { Config } from "../config/config.ts";
import type { RunningListener } from "../server/server-options.ts";

/** Lines for one client's configuration. */
export interface Snippet {
  readonly client: string;
  readonly lines: readonly string[];
}

/** How to use a listener, for each client that can: ready to be copied. */
export function snippets(
  listener: RunningListener,
  { instances, services }: Pick<Config, "instances" | "services">,
): Snippet[] {
  // A Unix socket that was handed over: clients know its path, the server does not.
  if (listener.address.startsWith("systemd:")) return [];
  const instance = instances[0] ?? "";
  const target = { ...listener, instance, address: reachable(listener.address) };
  const all = [buildStream(target, services)];
  if (services === "all" && instances.includes("")) all.push(buildStream1(target));
  if (services !== "index") {
    if (!target.address.startsWith("unix:")) all.push(bazel(target));
    all.push(recc(target));
  }
  if (services === "all") all.push(casd(target));
  return all;
}

interface Target extends RunningListener {
  readonly instance: string;
}

/** The address as others call it: one that means every address of this machine becomes its name. */
function reachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):/, `${hostname()}:`);
}

function url({ address, tls }: Target): string {
  if (address.startsWith("unix:")) return address;
  return `${tls ? "https" : "http"}://${address}`;
}

function buildStream(target: Target, services: Config["services"]): Snippet {
  const entry = [`- url: ${url(target)}`];
  if (target.push) entry.push("  push: true");
  if (services !== "all") entry.push(`  type: ${services}`);
  if (target.instance !== "") entry.push(`  instance-name: ${target.instance}`);
  if (target.tls) entry.push("  auth:", "    server-cert: server.crt");
  if (target.clientCertificates) entry.push("    client-cert: client.crt", "    client-key: client.key");
  const block = (name: string): string[] => [`${name}:`, "  servers:", ...entry.map((line) => `  ${line}`)];
  return {
    client: "BuildStream 2, in ~/.config/buildstream2.conf",
    lines: [...block("artifacts"), ...block("source-caches")],
  };
}

/** The first generation knows no instance names, and no index without a storage. */
function buildStream1(target: Target): Snippet {
  const lines = ["artifacts:", `- url: ${url(target)}`];
  if (target.push) lines.push("  push: true");
  if (target.tls) lines.push("  server-cert: server.crt");
  if (target.clientCertificates) lines.push("  client-cert: client.crt", "  client-key: client.key");
  return { client: "BuildStream 1, in ~/.config/buildstream.conf", lines };
}

function bazel({ address, tls, push, instance, clientCertificates }: Target): Snippet {
  const flags = [`--remote_cache=${tls ? "grpcs" : "grpc"}://${address}`];
  if (instance !== "") flags.push(`--remote_instance_name=${instance}`);
  if (!push) flags.push("--remote_upload_local_results=false");
  if (tls) flags.push("--tls_certificate=server.crt");
  if (clientCertificates) flags.push("--tls_client_certificate=client.crt", "--tls_client_key=client.key");
  return { client: "Bazel, in .bazelrc", lines: flags.map((flag) => `build ${flag}`) };
}

function recc(target: Target): Snippet {
  const { address, tls, instance } = target;
  const server = tls ? url(target) : address;
  const variables = [`RECC_SERVER=${server}`, "RECC_CACHE_ONLY=1"];
  if (instance !== "") variables.push(`RECC_INSTANCE=${instance}`);
  return { client: "recc", lines: [`export ${variables.join(" ")}`] };
}

function casd(target: Target): Snippet {
  const { tls, instance, clientCertificates } = target;
  const flags = ["cas", "ac", "ra"].map((service) => `--${service}-remote=${url(target)}`);
  if (instance !== "") flags.push(`--instance=${instance}`);
  if (tls) flags.push("--server-cert=server.crt");
  if (clientCertificates) flags.push("--client-cert=client.crt", "--client-key=client.key");
  return { client: "buildbox-casd", lines: [`buildbox-casd ${flags.join(" ")} DIR`] };
}
