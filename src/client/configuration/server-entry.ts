import type { RemoteSpec } from "../remote-spec.ts";

/** A server as an entry of BuildStream 2's user configuration, the other way round than `readEntry`: with absolute paths, and without what only says what holds anyway. */
export function serverEntry({ url, type, push, instanceName, auth, connection }: RemoteSpec): object {
  const entry = {
    ...{ url, type, push: push ? "true" : "false", "instance-name": instanceName || undefined },
    auth: said({
      "server-cert": auth.serverCert,
      "client-key": auth.clientKey,
      "client-cert": auth.clientCert,
      "access-token": auth.accessToken,
      "access-token-reload-interval": auth.accessTokenReloadMinutes,
    }),
    "connection-config": said({
      "keepalive-time": connection.keepaliveSeconds,
      "retry-limit": connection.retryLimit,
      "retry-delay": connection.retryDelayMs,
      "request-timeout": connection.requestTimeoutSeconds,
    }),
  };
  return said(entry) ?? {};
}

/** Without what is `undefined`; `undefined` where nothing is left. */
function said(values: Readonly<Record<string, unknown>>): object | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
