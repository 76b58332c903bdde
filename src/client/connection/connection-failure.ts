import { StillageError } from "../../base/errors.ts";
import { ProxyError, proxyWantsUser } from "../../base/proxy.ts";
import type { ConnectionError } from "../../rpc/client/connection-error.ts";
import type { RpcError } from "../../rpc/client/rpc-error.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import { firstWords, type SpokenProtocol } from "./first-words.ts";
import { NotGrpc } from "./not-grpc.ts";
import { tlsFailure, tlsTrouble } from "./tls-trouble.ts";

/** What messages say of a server. */
export type FailedRemote = Pick<RemoteSpec, "name" | "url"> & Partial<Pick<RemoteSpec, "auth">>;

export interface BrokenConnection {
  readonly spec: FailedRemote;
  readonly doing: string;
  /** What the call ended with, and why. */
  readonly error: RpcError;
  readonly broken: ConnectionError;
}

/**
 * What it means that a connection broke: `unavailable`, and `unsupported` with `NotGrpc` as its cause where something else speaks there. Where the server was hardly heard, it is
 * asked what it speaks.
 */
export async function connectionFailure(call: BrokenConnection, signal: AbortSignal): Promise<StillageError> {
  const { spec, doing, error, broken } = call;
  const { stage, failure, message } = broken;
  if (stage === "open") {
    return new StillageError("unavailable", `${spec.name}: ${doing} failed: ${message}`, {
      hint: "the server was stopped, or the way to it is broken; try again later",
      cause: error,
    });
  }
  const at = nameAndUrl(spec);
  const trouble = tlsTrouble(broken.cause);
  const heard = stage !== "connect" && failure !== "silent";
  if (failure === "no-http2" || trouble?.noHttp2 === true) return otherProtocol("https/1", at, error);
  if (heard && (trouble === undefined || trouble.vague === true)) {
    const other = misunderstanding(await firstWords(spec.url, broken.proxy, signal), isTls(spec.url));
    if (other !== undefined) return otherProtocol(other, at, error);
  }
  if (trouble !== undefined) return tlsFailure(at, trouble, error);
  const shown = stage === "settings" && isTls(spec.url) && isEnd(broken) ? spec.auth?.clientCert : undefined;
  if (shown !== undefined) {
    const what = `${at} ended the connection once it had seen our certificate: it may not know that`;
    const hint = `check whether the server takes the certificate in ${shown} (client-cert), or who signed it`;
    return new StillageError("unavailable", what, { hint, cause: error });
  }
  return new StillageError("unavailable", `${at} cannot be reached: ${message}`, {
    hint: hintFor(broken, isTls(spec.url)),
    cause: error,
  });
}

/** What a server is called where it matters which one it is. */
export function nameAndUrl({ name, url }: FailedRemote): string {
  const shown = shownUrl(url);
  return shown === name ? shown : `${name} (${shown})`;
}

/** Whether the server is done with us, and gave no reason. */
const isEnd = ({ failure, cause }: ConnectionError): boolean =>
  failure === "ended" || ["ECONNRESET", "EPIPE"].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? "");

const isTls = (url: string): boolean => /^(https|grpcs):/i.test(url);

function hintFor({ stage, failure, cause, proxy }: ConnectionError, tls: boolean): string {
  if (cause instanceof ProxyError && cause.status === 407) return proxyWantsUser;
  if (proxy !== undefined && stage === "connect") {
    return "`grpc_proxy`, `https_proxy` or `http_proxy` names the proxy; `no_proxy` the hosts that are reached without";
  }
  if (failure === "silent") {
    return "the server is overloaded, or a firewall swallows what is sent to it; check host and port";
  }
  // Servers that want another certificate often end the connection without saying so.
  if (stage === "settings" && tls) {
    return "the server may want a certificate of its clients, or not trust ours: check `client-cert` and `client-key`";
  }
  const { code = "" } = (cause ?? {}) as NodeJS.ErrnoException;
  return networkHints[code] ?? "check host and port, and whether the server runs";
}

const networkHints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: check the port, and whether the server runs",
  ENOTFOUND: "there is no such host name: check the URL",
  EAI_AGAIN: "host names cannot be looked up now: check the network",
  ENOENT: "there is no such socket: check the path, and whether the server runs",
  EACCES: "this user may not open the socket",
  ENETUNREACH: "there is no way to that network from here",
  EHOSTUNREACH: "there is no way to that host from here",
};

type Misunderstanding = "tls wanted" | "no tls" | "http/1" | "http/1 without tls" | "https/1";

/** What is spoken, where it is not what was meant. */
function misunderstanding(speaks: SpokenProtocol, tls: boolean): Misunderstanding | undefined {
  if (speaks === "http/1") return tls ? "http/1 without tls" : "http/1";
  if (speaks === "tls") return tls ? undefined : "tls wanted";
  return speaks === "http/2" && tls ? "no tls" : undefined;
}

const webServer = "the URL is that of a web server, or of another port than gRPC's";
const misunderstandings: Readonly<Record<Misunderstanding, readonly [NotGrpc["speaks"], string, string]>> = {
  "tls wanted": ["tls", "wants TLS", "write https:// or grpcs:// in its URL"],
  "no tls": ["http/2", "speaks HTTP/2 without TLS", "write http:// or grpc:// in its URL"],
  "http/1": ["http/1", "speaks HTTP/1, not gRPC", webServer],
  "http/1 without tls": ["http/1", "speaks HTTP/1 without TLS, not gRPC", webServer],
  "https/1": [
    "http/1",
    "speaks TLS but no HTTP/2, so not gRPC",
    `${webServer}, or something before it passes HTTP/1 alone`,
  ],
};

function otherProtocol(which: Misunderstanding, at: string, error: RpcError): StillageError {
  const [speaks, what, hint] = misunderstandings[which];
  return new StillageError("unsupported", `${at} ${what}`, { hint, cause: new NotGrpc(speaks, error) });
}
