/** What of a cache a server has: what artifacts are called, their blobs, or both. */
export const remoteTypes = ["all", "index", "storage"] as const;
export type RemoteType = (typeof remoteTypes)[number];

/** Files, by absolute paths. They are read when the server is connected to. */
export interface RemoteAuth {
  /** PEM of what is trusted in place of the system's authorities. */
  readonly serverCert: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  /** A bearer token. */
  readonly accessToken: string | undefined;
  /** How long a token that was read may be used; `undefined` for as long as the program runs. */
  readonly accessTokenReloadMinutes: number | undefined;
}

/** `connection-config`; what is `undefined` is left to us. */
export interface RemoteConnection {
  /** Never 0. */
  readonly keepaliveSeconds: number | undefined;
  /** Tries after the first one. */
  readonly retryLimit: number | undefined;
  readonly retryDelayMs: number | undefined;
  /** Never 0. */
  readonly requestTimeoutSeconds: number | undefined;
}

/** A server as it is configured, before anybody asked it anything. */
export interface RemoteSpec {
  /** What people call it: its name in Stillage's own file, elsewhere its URL as `shownUrl` has it. */
  readonly name: string;
  /** There may be a secret in it, so it is never shown as it is. `http`, `grpc`, `https`, `grpcs` or `unix:` for gRPC; `http(s)`, `ssh`, `file` or a path for BuildStream 1.0. Which it is, asking tells. */
  readonly url: string;
  readonly type: RemoteType;
  /** Whether artifacts are to be pushed there. */
  readonly push: boolean;
  readonly instanceName: string;
  readonly auth: RemoteAuth;
  readonly connection: RemoteConnection;
  /** Where that stands: `FILE:LINE:COLUMN`, or the option. */
  readonly origin: string;
  /** Whether whoever runs the program has named it just now: then it is asked although it did not answer lately. */
  readonly byHand?: true;
}
