import type { IncomingMessage } from "node:http";
import { StillageError } from "../base/errors.ts";
import type { ForwardedHeaders } from "./forwarded-headers.ts";
import { ask, type RequestRules } from "./http-request.ts";
import { type OriginUrl, parseOriginUrl, showUrl } from "./origin-url.ts";

/** As many as browsers follow at most; honest ones are three or four. */
const maxRedirects = 10;

const redirects: readonly number[] = [301, 302, 303, 307, 308];

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
 * (scheme, host and port) and to no other, also not when another sends back to it: with what address it does so is the other's choice. No proxies, no cookies, no connection is used twice.
 * Errors, as remote_asset.proto has them for a fetch: `not-found`, `forbidden`, `aborted` for answers that make no sense, `unavailable`,
 * `deadline`, and the signal's reason.
 */
export async function httpGet(
  first: OriginUrl,
  headers: ForwardedHeaders,
  signal: AbortSignal,
  options: RequestRules,
): Promise<OriginBody> {
  let at = first;
  let own = headers;
  for (let followed = 0; ; followed++) {
    if (at.url.origin !== first.url.origin) own = new Map();
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
    const { "content-length": length, "transfer-encoding": transfer } = headers;
    // Others leave bytes that are not the content's, or end where the connection does.
    if (transfer !== undefined && transfer.trim().toLowerCase() !== "chunked") {
      throw new StillageError("aborted", `${showUrl(from)} comes in the transfer encoding ${transfer.slice(0, 50)}`);
    }
    const endless = length === undefined && transfer === undefined;
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
