import type { IncomingMessage } from "node:http";
import type { RequestOptions } from "node:https";
import { StillageError } from "../../base/errors.ts";
import { lookupHost } from "../../base/host-lookup.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { nodeHttp, nodeHttps } from "../../base/node-http.ts";
import { askedOf, type HttpProxy, ProxyError, proxyWantsUser, refusalOfProxy, tunnelAgent } from "../../base/proxy.ts";
import type { ObjectSource } from "./object-source.ts";

/** Requests at the same time, as OSTree's own clients have them. */
export const inFlight = 8;

/** A server that says nothing for so long will not do so any more. */
const silenceMs = 30_000;

/** Bytes of an answer that is nothing but an error. */
const maxShortBytes = 64 * 1024;

export type RequestHeaders = Readonly<Record<string, string>>;

export interface HttpSourceOptions {
  /** Sent with every request, such as `authorization`: asked for anew each time where it is a function. */
  readonly headers?: RequestHeaders | (() => MaybePromise<RequestHeaders>);
  /** PEM of authorities to trust in place of the system's. */
  readonly authorities?: string;
  /** PEM of a certificate, and of its key, by which the server knows us. */
  readonly client?: { readonly certificate: string; readonly key: string };
  /** By way of which the server is asked. */
  readonly proxy?: HttpProxy;
  readonly signal?: AbortSignal;
  readonly silenceMs?: number;
}

export interface HttpSource extends Required<ObjectSource> {
  /** Ends what connections there are. */
  close(): void;
}

/**
 * A repository behind a URL, `http` or `https`, over connections that are kept. 403, 404 and 410 mean that something is not there, as they do to OSTree's
 * clients. No redirects are followed. Errors: `invalid` for what is no such URL.
 */
export function httpSource(base: string, options: HttpSourceOptions = {}): HttpSource {
  const url = baseUrl(base);
  const secure = url.protocol === "https:";
  const connections = { keepAlive: true, maxSockets: inFlight };
  const { authorities, client, headers = {}, proxy, signal } = options;
  const agent =
    secure && proxy !== undefined
      ? tunnelAgent(proxy, { ...connections, ...(signal && { signal }) })
      : new (secure ? nodeHttps() : nodeHttp()).Agent(connections);
  const credentials = url.username === "" ? {} : { auth: `${decoded(url.username)}:${decoded(url.password)}` };
  const shared: RequestOptions = {
    agent,
    lookup: lookupHost,
    timeout: options.silenceMs ?? silenceMs,
    ...(signal && { signal }),
    ...(authorities !== undefined && { ca: authorities }),
    ...(client && { cert: client.certificate, key: client.key }),
    ...credentials,
  };
  const answerTo = async (method: "GET" | "HEAD", path: string): Promise<HttpAnswer> => {
    const at = new URL(path, url);
    const shown = `${at.protocol}//${at.host}${at.pathname}`;
    const ours = { ...(typeof headers === "function" ? await headers() : headers), "accept-encoding": "identity" };
    const asked = askedAt(at, proxy);
    const response = await ask(shown, secure, { ...shared, ...asked, method, headers: { ...asked.headers, ...ours } });
    return { response, shown, length: Number(response.headers["content-length"] ?? 0) };
  };
  return {
    async get(path, maxBytes) {
      const { response, shown, length } = await answerTo("GET", path);
      const { statusCode = 0 } = response;
      if (statusCode === 200 && length <= maxBytes) return bodyOf(response, shown, maxBytes);
      // A short answer is read, so that the connection can be used again.
      if (length > 0 && length <= maxShortBytes) response.resume().on("error", () => {});
      else response.destroy();
      if (statusCode === 200) throw new StillageError("invalid", `${shown} is larger than ${maxBytes} bytes`);
      if (absent.includes(statusCode)) return undefined;
      throw refused(shown, statusCode);
    },
    async size(path) {
      const { response, shown } = await answerTo("HEAD", path);
      response.resume().on("error", () => {});
      const { statusCode = 0, headers: theirs } = response;
      const length = Number(theirs["content-length"] ?? Number.NaN);
      if (statusCode === 200) return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
      if (absent.includes(statusCode)) return undefined;
      throw refused(shown, statusCode);
    },
    close: () => agent.destroy(),
  };
}

interface HttpAnswer {
  readonly response: IncomingMessage;
  readonly shown: string;
  /** As it is said; 0 where it is not. */
  readonly length: number;
}

/** Statuses that say that something is not there. */
const absent: readonly number[] = [403, 404, 410];

function baseUrl(text: string): URL {
  const url = URL.parse(text.endsWith("/") ? text : `${text}/`);
  if (url !== null && ["http:", "https:"].includes(url.protocol) && url.search === "" && url.hash === "") return url;
  throw new StillageError("invalid", `${JSON.stringify(text.slice(0, 200))} is no URL of a repository`, {
    hint: "such as https://example.org/repo",
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function askedAt(at: URL, proxy: HttpProxy | undefined): RequestOptions & { readonly headers?: RequestHeaders } {
  const { protocol, hostname, port, pathname } = at;
  if (proxy !== undefined && protocol === "http:") return askedOf(proxy, at);
  return { protocol, host: hostname.replace(/^\[|\]$/g, ""), port, path: pathname };
}

function ask(shown: string, secure: boolean, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (secure ? nodeHttps() : nodeHttp()).request(options);
    request.on("timeout", () => request.destroy(new StillageError("unavailable", `${shown} does not answer`)));
    request.on("error", (error) => reject(failed(shown, error, options.signal)));
    request.on("response", resolve);
    request.end();
  });
}

/** Errors: `unavailable` where the connection breaks before the end, `invalid` beyond `maxBytes`. */
async function* bodyOf(response: IncomingMessage, shown: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > maxBytes) throw new StillageError("invalid", `${shown} is larger than ${maxBytes} bytes`);
      yield piece;
    }
  } catch (error) {
    throw failed(shown, error);
  }
}

function failed(shown: string, error: unknown, signal?: AbortSignal): StillageError {
  if (signal?.aborted && signal.reason instanceof StillageError) return signal.reason;
  if (error instanceof StillageError) return error;
  const { code = "", name, message } = error as NodeJS.ErrnoException;
  if (name === "AbortError" || signal?.aborted)
    return new StillageError("cancelled", `the request for ${shown} was stopped`, { cause: error });
  if (error instanceof ProxyError) {
    const what = `${shown}: ${message}`;
    return refusalOfProxy(error.status, what, error) ?? new StillageError("unavailable", what, { cause: error });
  }
  if (code.includes("_ALERT_")) {
    return new StillageError("forbidden", `the server of ${shown} ends the TLS handshake (${code})`, { cause: error });
  }
  if (/CERT|SIGNATURE|ISSUER|ERR_TLS|ERR_SSL/.test(code)) {
    return new StillageError("forbidden", `the server of ${shown} cannot prove who it is (${code})`, { cause: error });
  }
  return new StillageError("unavailable", `${shown}: the connection failed (${code || message})`, { cause: error });
}

function refused(shown: string, status: number): StillageError {
  const message = `${shown} answers ${status}`;
  if (status === 408 || status === 429 || status >= 500) return new StillageError("unavailable", message);
  if (status === 407) return new StillageError("unauthenticated", message, { hint: proxyWantsUser });
  if (status === 401) return new StillageError("unauthenticated", message);
  const hint = status >= 300 && status < 400 ? { hint: "redirects are not followed: name where it leads" } : {};
  return new StillageError("invalid", message, hint);
}
