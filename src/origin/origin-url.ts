import { StillageError } from "../base/errors.ts";
import type { HostAndPort } from "../base/host-pattern.ts";

/** Where something is to be fetched. */
export interface OriginUrl extends HostAndPort {
  readonly url: URL;
  readonly secure: boolean;
}

/** What people and logs may see of a URL: no query, in which signatures and tokens stand. */
export function showUrl({ url }: OriginUrl): string {
  return `${url.origin}${url.pathname}`.slice(0, 300);
}

/** The same for a URI that may be anything; one that is not the web's is shown as it is. */
export function showUri(uri: string): string {
  if (!isWebUri(uri)) return uri;
  const url = URL.parse(uri);
  return url === null ? "an http URI that is none" : `${url.origin}${url.pathname}`;
}

/** Whether a URI is of a kind that is fetched at all: artifacts of BuildStream, for one, are not. */
export function isWebUri(uri: string): boolean {
  return /^https?:/i.test(uri);
}

/**
 * A URI as the WHATWG URL standard reads it, which knows one form of each address: decimal, octal and short ones of IPv4 become dotted.
 * Errors: `invalid` for what is no http or https URL with a host, and for one that carries credentials: they would be in names and logs.
 */
export function parseOriginUrl(text: string, base?: URL): OriginUrl {
  const url = URL.parse(text, base?.href);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new StillageError("invalid", `${JSON.stringify(text.slice(0, 200))} is no http or https URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new StillageError("invalid", `the URL of ${url.host} carries credentials`, {
      hint: "send them as a qualifier, http_header_url:0:Authorization",
    });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  if (host === "") throw new StillageError("invalid", "the URL names no host");
  // A resolver may take it for the name without the empty part, which no rule would recognise.
  if (host.split(".").includes("")) throw new StillageError("invalid", `the host name ${host} has an empty part`);
  url.hash = "";
  const secure = url.protocol === "https:";
  return { url, secure, host, port: url.port === "" ? (secure ? 443 : 80) : Number(url.port) };
}
