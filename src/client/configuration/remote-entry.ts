import { isAbsolute, join, resolve } from "node:path";
import { didYouMean } from "../../config/nearest.ts";
import type { Problem } from "../../config/problem.ts";
import type { Dialect } from "../../project/dialect.ts";
import { type MapNode, valueAt } from "../../project/node.ts";
import { type Environment, expandHome } from "../../project/paths.ts";
import type { ValueReader } from "../../project/read-value.ts";
import { type RemoteAuth, type RemoteConnection, type RemoteSpec, remoteTypes } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import { urlTrouble } from "./remote-url.ts";

/** What an entry is read with. */
export interface EntryContext {
  readonly dialect: Dialect;
  /** Where the paths of certificates are seen from. */
  readonly folder: string;
  readonly environment: Environment;
  readonly reader: ValueReader;
  /** What BuildStream takes and does not heed. */
  readonly notes: Problem[];
  /** Set for what is read only because BuildStream does: then nobody goes to its URLs. */
  readonly unused?: true;
}

const flatKeys = ["url", "push", "server-cert", "client-key", "client-cert"];
const knownKeys: Readonly<Record<Dialect, readonly string[]>> = {
  "1": flatKeys,
  "1.9": [...flatKeys, "instance-name", "type"],
  "2": ["url", "push", "type", "instance-name", "auth", "connection-config"],
};
const certificateKeys = ["server-cert", "client-key", "client-cert"];
const authKeys = [...certificateKeys, "access-token", "access-token-reload-interval"];
const connectionKeys = ["keepalive-time", "retry-limit", "retry-delay", "request-timeout"];

/** A timer cannot be set to much more than three weeks, and nothing is waited for longer than a day. */
const longestSeconds = 86_400;

/** What BuildStream takes for a type as well, of servers for other things than artifacts. */
const otherType = "endpoint";

export const noAuth: RemoteAuth = {
  serverCert: undefined,
  clientCert: undefined,
  clientKey: undefined,
  accessToken: undefined,
  accessTokenReloadMinutes: undefined,
};

export const noConnection: RemoteConnection = {
  keepaliveSeconds: undefined,
  retryLimit: undefined,
  retryDelayMs: undefined,
  requestTimeoutSeconds: undefined,
};

/** A server as a file describes it; `more` are keys beside those of BuildStream. `undefined` where it is not to be used, which was reported. */
export function readEntry(map: MapNode, context: EntryContext, more: readonly string[] = []): RemoteSpec | undefined {
  const { reader, dialect } = context;
  reader.keys(map, [...knownKeys[dialect], ...more]);
  const url = reader.text(map, "url");
  if (url === undefined || url === "") reportMissingUrl(map, reader);
  const push = reader.boolean(map, "push", dialect !== "1") ?? false;
  const instanceName = dialect === "1" ? undefined : reader.text(map, "instance-name");
  const auth = dialect === "2" ? readAuth(reader.map(map, "auth"), context) : readAuth(map, context, certificateKeys);
  const connection = dialect === "2" ? readConnection(reader.map(map, "connection-config"), context) : noConnection;
  const type = dialect === "1" ? "all" : typeOf(map, context);
  if (url === undefined || url === "" || type === otherType) return undefined;
  const trouble = context.unused ? undefined : urlTrouble(url);
  if (trouble !== undefined) return reader.report(valueAt(map, "url")?.at ?? map.at, trouble);
  if (type === undefined) return undefined;
  const remote = { name: shownUrl(url), url, type, push, instanceName: instanceName ?? "", connection, origin: map.at };
  return { ...remote, auth: dialect === "2" ? auth : heeded(auth, url, map, context) };
}

function reportMissingUrl(map: MapNode, reader: ValueReader): void {
  const there = map.entries.get("url");
  if (there === undefined) reader.report(map.at, "a remote needs its url");
  else if (there.value.kind === "scalar") reader.report(there.at, "url: the URL of the remote goes here");
}

/** `undefined` where it is none, which was reported. */
function typeOf(
  map: MapNode,
  { reader, notes, dialect }: EntryContext,
): RemoteSpec["type"] | typeof otherType | undefined {
  const value = valueAt(map, "type");
  if (dialect === "2" && value?.kind === "scalar" && value.text === otherType) {
    notes.push({
      origin: value.at,
      message: `type: ${otherType} is for remote execution; no artifacts are looked for there`,
    });
    return otherType;
  }
  return value === undefined ? "all" : reader.choice(map, "type", remoteTypes);
}

/** The keys stand in the entry itself before BuildStream 1.95, and then they are not all that is there. */
function readAuth(map: MapNode | undefined, context: EntryContext, flat?: readonly string[]): RemoteAuth {
  if (map === undefined) return noAuth;
  const { reader } = context;
  if (flat === undefined) reader.keys(map, authKeys);
  const file = (key: string): string | undefined => locate(reader.text(map, key), context);
  const auth: RemoteAuth = {
    serverCert: file("server-cert"),
    clientKey: file("client-key"),
    clientCert: file("client-cert"),
    accessToken: flat === undefined ? file("access-token") : undefined,
    accessTokenReloadMinutes: flat === undefined ? reader.whole(map, "access-token-reload-interval", 0) : undefined,
  };
  for (const [one, other] of [
    ["client-key", "client-cert"],
    ["client-cert", "client-key"],
  ] as const) {
    if (reader.text(map, one) && !reader.text(map, other)) {
      reader.report(valueAt(map, one)?.at ?? map.at, `${one} needs ${other} beside it`);
    }
  }
  return auth;
}

/** Certificates beside `http://` keep BuildStream from nothing before 1.95, and are used for nothing. */
function heeded(auth: RemoteAuth, url: string, map: MapNode, { notes, unused }: EntryContext): RemoteAuth {
  const key = certificateKeys.find((each) => valueAt(map, each) !== undefined);
  if (unused || key === undefined || !/^(http|grpc):/i.test(url)) return auth;
  const message = `${key}: http:// is without TLS, so no certificate is asked for there, and none shown`;
  notes.push({ origin: valueAt(map, key)?.at ?? map.at, message });
  return noAuth;
}

/** Absolute. Only BuildStream 1 leaves a `~` as it is. */
function locate(path: string | undefined, { dialect, folder, environment }: EntryContext): string | undefined {
  if (path === undefined || path === "") return undefined;
  const expanded = dialect === "1" ? path : expandHome(path, environment);
  return isAbsolute(expanded) ? expanded : resolve(join(folder, expanded));
}

function readConnection(map: MapNode | undefined, { reader, notes }: EntryContext): RemoteConnection {
  if (map === undefined) return noConnection;
  for (const [key, { at }] of map.entries) {
    if (connectionKeys.includes(key)) continue;
    notes.push({ origin: at, message: `connection-config: nobody heeds ${key}${didYouMean(key, connectionKeys)}` });
  }
  // 0 is as good as not said, as for BuildStream's own storage.
  const seconds = (key: string): number | undefined =>
    Math.min(reader.whole(map, key, 0) ?? 0, longestSeconds) || undefined;
  return {
    keepaliveSeconds: seconds("keepalive-time"),
    retryLimit: reader.whole(map, "retry-limit", 0),
    retryDelayMs: reader.whole(map, "retry-delay", 0),
    requestTimeoutSeconds: seconds("request-timeout"),
  };
}
