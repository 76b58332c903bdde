import { StillageError } from "../../base/errors.ts";
import type { HttpSourceOptions } from "../../ostree/archive/http-source.ts";
import type { Environment } from "../../project/paths.ts";
import { bearerToken } from "../connection/bearer-token.ts";
import { webProxy } from "../connection/proxy-variables.ts";
import { readAuthorities, readClientPair } from "../connection/tls-files.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** What is shown to a web server, what is trusted of it, and what is between. */
export type HttpAccess = Pick<HttpSourceOptions, "headers" | "authorities" | "client" | "proxy">;

/**
 * What a remote's configuration says for the requests to `url`, which is its own or one that its server has named: another host or port than the remote's is shown neither tokens nor certificates.
 * Errors: `invalid` for files that cannot be read, and for a token that would go over the network in the clear.
 */
export function httpAccess(spec: RemoteSpec, url: URL, environment: Environment = process.env): HttpAccess {
  const { accessToken } = spec.auth;
  const authorities = readAuthorities(spec);
  const { proxy } = webProxy(url, environment);
  const trust = { ...(authorities !== undefined && { authorities }), ...(proxy && { proxy }) };
  if (!isOwn(spec.url, url)) return trust;
  if (url.protocol !== "https:" && accessToken !== undefined) {
    throw new StillageError(
      "invalid",
      `${spec.name}: a token would go over the network in the clear, as ${url.origin} is without TLS (${spec.origin})`,
      { hint: "use https://, or leave `auth` out" },
    );
  }
  const headers = bearerToken(spec);
  const client = readClientPair(spec);
  return { ...trust, ...(headers && { headers }), ...(client && { client }) };
}

/** Whether `url` is on the server that is configured. The port of `ssh` is nobody's on the web, so what it leads to is on the web's own. */
function isOwn(configured: string, url: URL): boolean {
  const own = URL.parse(configured);
  if (own === null || own.hostname !== url.hostname) return false;
  return own.protocol === "ssh:" ? url.port === "" : own.origin === url.origin;
}
