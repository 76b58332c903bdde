import { readFileSync } from "node:fs";
import { StillageError } from "../../base/errors.ts";
import type { HttpSourceOptions } from "../../ostree/archive/http-source.ts";
import { bearerToken } from "../connection/bearer-token.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** What is shown to a web server, and what is trusted of it. */
export type HttpAccess = Pick<HttpSourceOptions, "headers" | "authorities" | "client">;

/**
 * What a remote's configuration says for the requests to `url`, which is its own or one that its server has named: another host than the remote's is shown neither tokens nor certificates.
 * Errors: `invalid` for files that cannot be read, and for a token that would go over the network in the clear.
 */
export function httpAccess(spec: RemoteSpec, url: URL): HttpAccess {
  const { serverCert, clientCert, clientKey, accessToken } = spec.auth;
  const authorities = serverCert === undefined ? undefined : readPem(spec, "server-cert", serverCert);
  const trust = authorities === undefined ? {} : { authorities };
  if (hostOf(spec.url) !== url.hostname) return trust;
  if (url.protocol !== "https:" && accessToken !== undefined) {
    throw new StillageError(
      "invalid",
      `${spec.name}: a token would go over the network in the clear, as ${url.origin} is without TLS (${spec.origin})`,
      { hint: "use https://, or leave `auth` out" },
    );
  }
  const headers = bearerToken(spec);
  const pair = (clientCert === undefined ? 0 : 1) + (clientKey === undefined ? 0 : 1);
  if (pair === 1) {
    throw new StillageError("invalid", `${spec.name}: client-cert and client-key belong together (${spec.origin})`);
  }
  return {
    ...trust,
    ...(headers && { headers }),
    ...(clientCert !== undefined &&
      clientKey !== undefined && {
        client: {
          certificate: readPem(spec, "client-cert", clientCert),
          key: readPem(spec, "client-key", clientKey),
        },
      }),
  };
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.hostname;
}

function readPem(spec: RemoteSpec, what: string, path: string): string {
  const refused = (why: string, cause?: unknown): StillageError =>
    new StillageError("invalid", `${spec.name}: ${what} ${path} ${why} (${spec.origin})`, { cause });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw refused(`cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
  if (text.includes("-----BEGIN ")) return text;
  throw refused("is not PEM");
}
