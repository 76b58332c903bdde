import { resolve } from "node:path";
import { address, resolveAddress } from "./address.ts";
import { bad, type Check, type Path, quote, type Report, scalar } from "./check.ts";
import type { ListenerConfig, TlsConfig } from "./config.ts";
import { filePath } from "./file-path.ts";
import { mapping } from "./mapping.ts";
import { didYouMean } from "./nearest.ts";

const truth = scalar("true or false", (text) => ({ true: true, false: false })[text]);

const clientAuth = scalar("required or optional", (text) =>
  text === "required" || text === "optional" ? text : undefined,
);

interface TlsEntry {
  readonly certificate: string;
  readonly key: string;
  readonly "client-certificates": string | undefined;
  readonly "client-auth": "required" | "optional";
}

const tls: Check<TlsConfig> = (given, path, report) => {
  const entry = mapping<TlsEntry>({
    certificate: { check: filePath },
    key: { check: filePath },
    "client-certificates": { check: filePath, absent: undefined },
    "client-auth": { check: clientAuth, absent: "required" },
  })(given, path, report);
  if (entry === bad) return bad;
  const { certificate, key } = entry;
  const clientCertificates = entry["client-certificates"];
  if (clientCertificates === undefined && Object.hasOwn(given as object, "client-auth")) {
    report({ path, message: "client-auth says nothing without client-certificates" });
    return bad;
  }
  return { certificate, key, clientCertificates, clientAuth: entry["client-auth"] };
};

const fromMapping: Check<ListenerConfig> = mapping<ListenerConfig>({
  address: { check: address },
  push: { check: truth, absent: true },
  tls: { check: tls, absent: undefined },
});

/** The keys of a listener that is written in one line, and where each stands in the mapping. */
export const specKeys: Readonly<Record<string, Path>> = {
  address: ["address"],
  push: ["push"],
  cert: ["tls", "certificate"],
  key: ["tls", "key"],
  "client-certs": ["tls", "client-certificates"],
  "client-auth": ["tls", "client-auth"],
};

/** A mapping, an address alone, or `address=HOST:PORT,push=false,cert=FILE,key=FILE,client-certs=FILE,client-auth=optional`. */
export const listener: Check<ListenerConfig> = (given, path, report) => {
  if (typeof given !== "string") return fromMapping(given, path, report);
  const entry = given.includes("=") ? fromSpec(given, path, report) : { address: given };
  return entry === bad ? bad : fromMapping(entry, path, report);
};

/** Makes a listener's paths absolute, seen from a folder. */
export function resolveListener({ address, push, tls }: ListenerConfig, folder: string): ListenerConfig {
  if (tls === undefined) return { address: resolveAddress(address, folder), push, tls };
  const { certificate, key, clientCertificates, clientAuth } = tls;
  return {
    address: resolveAddress(address, folder),
    push,
    tls: {
      certificate: resolve(folder, certificate),
      key: resolve(folder, key),
      clientCertificates: clientCertificates === undefined ? undefined : resolve(folder, clientCertificates),
      clientAuth,
    },
  };
}

function fromSpec(spec: string, path: Path, report: Report): Record<string, unknown> | typeof bad {
  const entry: Record<string, unknown> = {};
  const seen = new Set<string>();
  let fine = true;
  const refuse = (message: string): void => {
    report({ path, message: `${message} in ${quote(spec)}` });
    fine = false;
  };
  for (const part of spec.split(",")) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/s.exec(part) ?? [undefined, part];
    const place = Object.hasOwn(specKeys, key) ? specKeys[key] : undefined;
    if (place === undefined) refuse(`there is no key ${quote(key)}${didYouMean(key, Object.keys(specKeys))}`);
    else if (seen.has(key)) refuse(`${key} is there twice`);
    else if (value === "") refuse(`${key} has no value`);
    else if (place.length === 1) entry[key] = value;
    else entry.tls = { ...(entry.tls as object), [place[1] as string]: value };
    seen.add(key);
  }
  if (!seen.has("address")) refuse("address is missing");
  for (const key of ["cert", "key"]) {
    if (entry.tls !== undefined && !seen.has(key)) refuse(`${key} is missing`);
  }
  return fine ? entry : bad;
}
