import { once } from "node:events";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { StillageError } from "../base/errors.ts";
import type { ForwardedHeaders } from "./forwarded-headers.ts";
import { allowedAddresses, type HostRules } from "./host-rules.ts";
import { type OriginUrl, parseOriginUrl, showUrl } from "./origin-url.ts";
import { untilAborted } from "./until-aborted.ts";

/** A machine that does not answer within this time has an address that is wrong, or is down. */
export const connectMs = 10_000;

/** A server that says nothing for this long will not say anything more. */
export const idleMs = 30_000;

/** As many as browsers follow at most; honest ones are three or four. */
const maxRedirects = 10;

const redirects: readonly number[] = [301, 302, 303, 307, 308];

export interface GetOptions {
  readonly rules: HostRules;
  readonly userAgent: string;
  /** PEM of authorities to trust in place of the system's. */
  readonly authorities?: string | undefined;
  readonly connectMs?: number;
  readonly idleMs?: number;
}

/** What an origin answered; the caller reads the body to its end, or destroys it. */
export interface OriginBody {
  /** Where it came from at last. */
  readonly from: OriginUrl;
  readonly body: IncomingMessage;
  /** Its length, where the origin says it. */
  readonly length: number | undefined;
  /** Whether a connection that breaks would look like the end of the content. */
  readonly endless: boolean;
}

/**
 * GETs a URL, over redirects, each of which is checked as the first one was. What the client wants the host to be told goes to the URL's own origin
 * (scheme, host and port) and to no other. No proxies, no cookies, no connection is used twice.
 * Errors, as remote_asset.proto has them for a fetch: `not-found`, `forbidden`, `aborted` for answers that make no sense, `unavailable`,
 * `deadline`, and the signal's reason.
 */
export async function httpGet(
  first: OriginUrl,
  headers: ForwardedHeaders,
  signal: AbortSignal,
  options: GetOptions,
): Promise<OriginBody> {
  let at = first;
  for (let followed = 0; ; followed++) {
    const own = at.url.origin === first.url.origin ? headers : new Map<string, string>();
    const response = await ask(at, own, signal, options);
    const { statusCode = 0 } = response;
    if (!redirects.includes(statusCode)) return accept(at, response);
    response.destroy();
    if (followed === maxRedirects) throw new StillageError("aborted", `${showUrl(first)} redirects too often`);
    at = follow(at, response.headers.location);
  }
}

function follow(from: OriginUrl, location: string | undefined): OriginUrl {
  if (location === undefined) throw new StillageError("aborted", `${showUrl(from)} redirects to nowhere`);
  let to: OriginUrl;
  try {
    to = parseOriginUrl(location, from.url);
  } catch (error) {
    throw new StillageError("forbidden", `${showUrl(from)} redirects to what may not be asked`, { cause: error });
  }
  if (from.secure && !to.secure) {
    throw new StillageError("forbidden", `${showUrl(from)} redirects from https to http, to ${showUrl(to)}`);
  }
  return to;
}

async function ask(
  at: OriginUrl,
  headers: ForwardedHeaders,
  signal: AbortSignal,
  options: GetOptions,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const addresses = await untilAborted(allowedAddresses(at, options.rules), signal);
  const agent = { keepAlive: false, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 1000 };
  const common: RequestOptions = {
    method: "GET",
    host: at.host,
    port: at.port,
    path: `${at.url.pathname}${at.url.search}`,
    headers: {
      "user-agent": options.userAgent,
      accept: "*/*",
      ...Object.fromEntries(headers),
      host: at.url.host,
      "accept-encoding": "identity",
    },
    signal,
    // Whatever the name resolves to by now: these are the addresses that were checked.
    lookup: (_host, { all }, callback) => {
      const [one] = addresses;
      if (all) callback(null, [...addresses]);
      else callback(null, one?.address ?? "", one?.family ?? 4);
    },
  };
  const trust = options.authorities === undefined ? {} : { ca: options.authorities };
  // Agents of its own: the global ones may have been told of a proxy by the environment.
  const request = at.secure
    ? httpsRequest({ ...common, ...trust, agent: new HttpsAgent(agent), rejectUnauthorized: true })
    : httpRequest({ ...common, agent: new HttpAgent(agent) });
  const late = setTimeout(
    () => request.destroy(new StillageError("deadline", `${at.host}:${at.port} does not answer`)),
    options.connectMs ?? connectMs,
  );
  request.once("socket", (socket) => socket.once(at.secure ? "secureConnect" : "connect", () => clearTimeout(late)));
  request.setTimeout(options.idleMs ?? idleMs, () =>
    request.destroy(new StillageError("deadline", `${at.host}:${at.port} has fallen silent`)),
  );
  request.on("error", () => {}); // `once` tells of it, and later the response does
  try {
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    request.once("error", (error) => response.destroy(error));
    return response;
  } catch (error) {
    throw fromNetwork(error, at, signal);
  } finally {
    clearTimeout(late);
  }
}

/** Errors: as `httpGet`. */
function accept(from: OriginUrl, response: IncomingMessage): OriginBody {
  const { statusCode = 0, headers } = response;
  try {
    if (statusCode !== 200) throw refused(from, statusCode);
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity" && encoding !== "") {
      throw new StillageError(
        "aborted",
        `${showUrl(from)} comes in the encoding ${encoding.slice(0, 50)}, which was not asked for`,
      );
    }
    const { "content-length": length } = headers;
    const endless = length === undefined && headers["transfer-encoding"] === undefined;
    return { from, body: response, length: length === undefined ? undefined : Number(length), endless };
  } catch (error) {
    response.destroy();
    throw error;
  }
}

function refused(from: OriginUrl, status: number): StillageError {
  const message = `${showUrl(from)} answers ${status}`;
  if (status === 404 || status === 410) return new StillageError("not-found", message);
  if (status === 408 || status === 504) return new StillageError("deadline", message);
  if (status === 429 || status >= 500) return new StillageError("unavailable", message);
  if (status >= 400) return new StillageError("forbidden", message);
  return new StillageError("aborted", `${message}, which a GET of a whole file has no use for`);
}

/** What the network says of a connection, in our words. */
export function fromNetwork(error: unknown, at: OriginUrl, signal: AbortSignal): StillageError {
  if (signal.aborted && signal.reason instanceof StillageError) return signal.reason;
  if (error instanceof StillageError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const which = `${at.host}:${at.port}`;
  if (code.startsWith("HPE_"))
    return new StillageError("aborted", `${which} does not speak HTTP (${code})`, { cause: error });
  if (
    code.startsWith("ERR_TLS_") ||
    code.startsWith("CERT_") ||
    code.startsWith("ERR_SSL_") ||
    /CERT|SIGNATURE|ISSUER/.test(code)
  ) {
    return new StillageError("forbidden", `${which} cannot prove who it is (${code})`, { cause: error });
  }
  return new StillageError("unavailable", `the connection to ${which} failed (${code || message})`, { cause: error });
}
