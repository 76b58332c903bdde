import type { Config } from "../config/config.ts";
import type { RunningServer } from "../server/app.ts";
import { isLocalAddress } from "../server/listen-address.ts";
import type { RunningListener } from "../server/server-options.ts";
import type { StoreUsage } from "../store/blob-store.ts";
import { snippets } from "./client-snippets.ts";
import { counted } from "./human-text.ts";
import { readable } from "./readable.ts";
import { version } from "./version.ts";

/** What someone who has just started a server wants to know: where it listens, how full it is, how to use it. */
export function banner(config: Config, server: RunningServer): string {
  const { listeners } = server;
  const lines = [`Stillage ${version} serves ${config.store} (${fill(server.usage())})`, ""];
  const width = Math.max(...listeners.map(({ address }) => address.length));
  for (const each of listeners) lines.push(`  ${each.address.padEnd(width)}  ${rights(each)}`);
  if (config.access !== undefined) lines.push("", `Who may do what: ${config.access}`);
  if (listeners.every(({ address }) => isLocalAddress(address))) {
    lines.push("", "Only programs on this machine reach it. To serve a network: --listen 0.0.0.0:11001");
  }
  const best = listeners.find(({ push }) => push) ?? listeners[0];
  for (const snippet of best === undefined ? [] : snippets(best, config)) {
    lines.push("", `${snippet.client}:`, ...snippet.lines.map((line) => `    ${line}`));
  }
  return `${lines.join("\n")}\n\n`;
}

function rights({ push, tls, clientCertificates }: RunningListener): string {
  const certificates = clientCertificates ? ", with client certificates" : "";
  return `${push ? "pull and push" : "pull only"}${tls ? `, TLS${certificates}` : ""}`;
}

function fill({ blobs, bytes, quota }: StoreUsage): string {
  const limit = quota === undefined ? "" : ` of ${readable(quota)}, ${Math.round((100 * bytes) / quota)} % full`;
  return `${counted(blobs, "blob")}, ${readable(bytes)}${limit}`;
}
