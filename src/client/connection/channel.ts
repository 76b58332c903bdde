import { StillageError } from "../../base/errors.ts";
import type { Environment } from "../../project/paths.ts";
import { type Channel, type ChannelOptions, connect } from "../../rpc/client/channel.ts";
import { parseServerUrl } from "../../rpc/client/server-url.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import { bearerToken } from "./bearer-token.ts";
import { proxyTo } from "./proxy-variables.ts";
import { readAuthorities, readClientPair } from "./tls-files.ts";

/** How long a server may take for what; in milliseconds. */
export interface ConnectionLimits {
  /** From the first packet to its first word of HTTP/2, TLS included. */
  readonly connectMs: number;
  /** Without a word while calls are in progress, before it is asked by a PING. `keepaliveSeconds` of the configuration goes before. */
  readonly pingAfterMs: number;
  /** Without a word, the answer to the PING included, before the connection is given up. */
  readonly silentMs: number;
  /** Without progress in a call, of a server that does answer PINGs. */
  readonly stallMs: number;
}

/**
 * A server at the other end of the world answers a handshake in a second, so five are ample; twelve of silence are many lost packets. What takes long without being stuck
 * is looking up thousands of blobs on a busy disk, and writing a large one out: half a minute.
 */
export const connectionLimits: ConnectionLimits = Object.freeze({
  connectMs: 5000,
  pingAfterMs: 5000,
  silentMs: 12_000,
  stallMs: 30_000,
});

/**
 * How long a server may take to be connected to and over a call that asks for nothing, of which the first one in a day may have it read an index: a second more than connecting
 * alone may take, which has the better message. In milliseconds.
 */
export function firstAnswerMs({ connection }: Pick<RemoteSpec, "connection">): number {
  const { requestTimeoutSeconds = Number.POSITIVE_INFINITY } = connection;
  return Math.min(connectionLimits.connectMs + 1000, 1000 * requestTimeoutSeconds);
}

/** A message that is larger is not received. Servers keep below 4 MiB; a few send somewhat more than they should. */
const maxMessageBytes = 8 << 20;

/** Opens nothing yet: the first call connects. Errors: `invalid` for what the configuration says wrong, with where it stands. */
export function openChannel(
  spec: RemoteSpec,
  limits: ConnectionLimits = connectionLimits,
  environment: Environment = process.env,
): Channel {
  const { connection } = spec;
  const { keepaliveSeconds, requestTimeoutSeconds } = connection;
  const pingAfterMs = keepaliveSeconds === undefined ? limits.pingAfterMs : keepaliveSeconds * 1000;
  checkSecrecy(spec);
  const ca = readAuthorities(spec);
  const client = readClientPair(spec);
  const headers = bearerToken(spec);
  const { proxy } = proxyTo(spec.url, environment);
  const options: ChannelOptions = {
    connectMs: limits.connectMs,
    pingAfterMs,
    silentMs: Math.max(limits.silentMs, 2 * pingAfterMs),
    stallMs: limits.stallMs,
    maxMessageBytes,
    ...(requestTimeoutSeconds !== undefined && { timeoutMs: requestTimeoutSeconds * 1000 }),
    ...(ca !== undefined && { ca }),
    ...(client !== undefined && { cert: client.certificate, key: client.key }),
    ...(headers !== undefined && { headers }),
    ...(proxy !== undefined && { proxy }),
  };
  return connect(spec.url, options);
}

/** As BuildStream has it: whoever means to be sure of the server, or to show a secret, does not do so in the clear. */
function checkSecrecy(spec: RemoteSpec): void {
  const { serverCert, clientCert, clientKey, accessToken } = spec.auth;
  const { tls, where } = placeOf(spec);
  // What is shown at a socket of this machine leaves it not.
  const secrets = [serverCert, clientCert, clientKey, ...("path" in where ? [] : [accessToken])];
  if (!tls && secrets.some((each) => each !== undefined)) {
    const what = accessToken === undefined ? "certificates need TLS" : "a token would go over the network in the clear";
    throw new StillageError(
      "invalid",
      `${spec.name}: ${what}, and ${shownUrl(spec.url)} is without TLS (${spec.origin})`,
      {
        hint: "use https:// or grpcs://, or leave `auth` out",
      },
    );
  }
}

function placeOf({ name, url, origin }: RemoteSpec): ReturnType<typeof parseServerUrl> {
  try {
    return parseServerUrl(url);
  } catch (cause) {
    throw new StillageError(
      "invalid",
      `${name}: ${JSON.stringify(shownUrl(url))} is no URL of a gRPC server (${origin})`,
      {
        hint: "http://, https://, grpc:// and grpcs:// with a host and a port, and unix: with a path are",
        cause,
      },
    );
  }
}
