import { BlockList, isIP, isIPv6 } from "node:net";
import type { HttpProxy } from "../../base/proxy.ts";
import type { Environment } from "../../project/paths.ts";
import { parseServerUrl, type ServerPlace } from "../../rpc/client/server-url.ts";

/** Which proxy is between us and a server, as the environment has it. */
export interface ProxyChoice {
  /** `undefined`: none. */
  readonly proxy: HttpProxy | undefined;
  /** The variable that names it, or names what is none that we can use. */
  readonly variable: string | undefined;
}

const none: ProxyChoice = { proxy: undefined, variable: undefined };

/** As the library of gRPC has it, which BuildStream uses (grpc/doc/environment_variables.md): small letters alone, and the first that is set holds, be it empty. */
const grpcVariables = ["grpc_proxy", "https_proxy", "http_proxy"];
const grpcExceptions = ["no_grpc_proxy", "no_proxy"];

/** As libcurl has it. `HTTP_PROXY` is not heeded, which a web server sets for a script of its own by what it is asked; OSTree takes `http_proxy` for both. */
const webVariables: Readonly<Record<string, readonly string[]>> = {
  "https:": ["https_proxy", "HTTPS_PROXY", "http_proxy"],
  "http:": ["http_proxy"],
};
const webExceptions = ["no_proxy", "NO_PROXY"];

/** For calls to a server of gRPC; what is none has none. A socket of this machine is never reached by one; its loopback addresses are, unless `no_proxy` names them. */
export function proxyTo(url: string, environment: Environment): ProxyChoice {
  const place = serverPlace(url);
  if (place === undefined || "path" in place.where) return none;
  return choose(place.where.host, environment, grpcVariables, grpcExceptions);
}

function serverPlace(url: string): ServerPlace | undefined {
  try {
    return parseServerUrl(url);
  } catch {
    return undefined; // whoever connects to it says so
  }
}

/** For requests to a web server. */
export function webProxy(url: URL, environment: Environment): ProxyChoice {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return choose(host, environment, webVariables[url.protocol] ?? [], webExceptions);
}

function choose(
  host: string,
  environment: Environment,
  variables: readonly string[],
  exceptions: readonly string[],
): ProxyChoice {
  const variable = variables.find((each) => environment[each] !== undefined);
  const value = variable === undefined ? "" : (environment[variable] ?? "");
  if (variable === undefined || value === "") return none;
  const excepted = exceptions.map((each) => environment[each]).find((each) => each !== undefined) ?? "";
  return isExcepted(host, excepted) ? none : { proxy: parseProxy(value), variable };
}

/** `undefined` for what is no URL of a proxy to which one speaks HTTP without TLS, such as one of SOCKS: gRPC does without it then. */
function parseProxy(text: string): HttpProxy | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "http:" || url.hostname === "") return undefined;
  const { username, password } = url;
  const credentials = username === "" && password === "" ? undefined : `${decoded(username)}:${decoded(password)}`;
  const [host, port] = [url.hostname.replace(/^\[(.*)\]$/, "$1"), Number(url.port) || 80];
  return { host, port, credentials, shown: `http://${url.hostname}:${port}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether an entry is the end of the host's name, or a network (`10.0.0.0/8`) with its address; `*` is for all. */
function isExcepted(host: string, list: string): boolean {
  const entries = list.split(",").map((each) => each.trim().toLowerCase());
  const name = host.toLowerCase();
  return entries.some((entry) => entry !== "" && (entry === "*" || name.endsWith(entry) || isInNetwork(host, entry)));
}

function isInNetwork(host: string, entry: string): boolean {
  const [, address = "", bits = ""] = /^([\d.:a-f]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const family = isIP(host);
  if (family === 0 || isIP(address) !== family || Number(bits) > (family === 6 ? 128 : 32)) return false;
  const type = isIPv6(host) ? "ipv6" : "ipv4";
  const network = new BlockList();
  network.addSubnet(address, Number(bits), type);
  return network.check(host, type);
}
