import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { StillageError } from "../base/errors.ts";
import { untilAborted } from "../base/until-aborted.ts";
import { deadlineAfter } from "./deadline.ts";
import type { ForwardedHeaders } from "./forwarded-headers.ts";
import { allowedAddresses, type HostRules } from "./host-rules.ts";
import { fromNetwork } from "./network-error.ts";
import { type OriginUrl, showUrl } from "./origin-url.ts";

/** A name that is not resolved, and a machine that does not answer, within this time is wrong, or down. */
export const connectMs = 10_000;

/** A server that has not begun to answer this long after it was asked will not do so any more. */
export const answerMs = 30_000;

/** Of several addresses, the next is tried beside one that does not answer in this time, sooner where there are many. */
const nextAddressMs = 1000;

export interface RequestRules {
  readonly rules: HostRules;
  readonly userAgent: string;
  /** PEM of authorities to trust in place of the system's. */
  readonly authorities?: string | undefined;
  readonly connectMs?: number;
  readonly answerMs?: number;
}

/** One GET, without redirects: whatever the host answers. Errors: as `httpGet`. */
export async function ask(
  at: OriginUrl,
  headers: ForwardedHeaders,
  signal: AbortSignal,
  options: RequestRules,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const request = await prepare(at, headers, signal, options);
  const late = (what: string) => () =>
    request.destroy(new StillageError("deadline", `${at.host}:${at.port} does not ${what}`));
  let timer = setTimeout(late("accept connections"), options.connectMs ?? connectMs);
  request.once("socket", (socket) =>
    socket.once(at.secure ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      timer = setTimeout(late("answer"), options.answerMs ?? answerMs);
    }),
  );
  try {
    const answer = answerTo(request, at);
    request.end();
    return await untilAborted(answer, signal);
  } catch (error) {
    request.destroy();
    throw fromNetwork(error, at, signal);
  } finally {
    clearTimeout(timer);
  }
}

async function prepare(at: OriginUrl, headers: ForwardedHeaders, signal: AbortSignal, options: RequestRules) {
  using limit = deadlineAfter(options.connectMs ?? connectMs, `the address of ${at.host} is not found out in time`);
  const either = AbortSignal.any([signal, limit.signal]);
  const addresses = await untilAborted(allowedAddresses(at, options.rules), either);
  const autoSelectFamilyAttemptTimeout = Math.max(10, Math.min(nextAddressMs, connectMs / 2 / addresses.length));
  const agent = { keepAlive: false, autoSelectFamily: true, autoSelectFamilyAttemptTimeout };
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
  return at.secure
    ? httpsRequest({ ...common, ...trust, agent: new HttpsAgent(agent), rejectUnauthorized: true })
    : httpRequest({ ...common, agent: new HttpAgent(agent) });
}

/** The response to a request; rejects in every other end that it can have. What befalls it later befalls the response. */
function answerTo(request: ClientRequest, at: OriginUrl): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once("response", (response) => {
    request.on("error", (error) => response.destroy(error));
    resolve(response);
  });
  // Where nobody listens for it, such a connection is dropped and no other event tells of that.
  request.once("upgrade", (_response, socket) => {
    socket.destroy();
    reject(new StillageError("aborted", `${showUrl(at)} answers 101, with another protocol`));
  });
  request.on("error", reject);
  request.once("close", () => reject(new StillageError("unavailable", `${at.host}:${at.port} hangs up`)));
  return promise;
}
