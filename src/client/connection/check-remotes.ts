import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { StillageError } from "../../base/errors.ts";
import type { Generation } from "../../store/artifact-refs.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { openRemotes } from "./open-remotes.ts";
import { proxyTo, webProxy } from "./proxy-variables.ts";
import type { Reachability } from "./reachability.ts";
import type { RemotePlace } from "./remote-place.ts";

/** What a server said; it has been closed. */
export interface CheckedPlace extends Pick<RemotePlace, "protocols" | "product" | "storage" | "certificateEnd"> {
  /** Whose artifacts it has names of. */
  readonly generations: readonly Generation[];
}

/** What became of asking a server. */
export interface RemoteCheck {
  readonly spec: RemoteSpec;
  /** `undefined` where it could not be used at all, and then there is an `error`. */
  readonly place: CheckedPlace | undefined;
  readonly error: StillageError | undefined;
  /** Whose URL the proxy has by way of which it was asked; `undefined` for none. */
  readonly proxy: string | undefined;
  /** Of one small call, in milliseconds: the median of a few. */
  readonly latencyMs: number | undefined;
  /** What is configured and does not work, a sentence each. */
  readonly shortcomings: readonly string[];
  /** What will be wrong soon. */
  readonly warnings: readonly string[];
}

export interface CheckOptions {
  /** Learns what came of it. */
  readonly reachability: Reachability;
  readonly signal: AbortSignal;
  /** In milliseconds since 1970. */
  readonly now: number;
}

/** Calls whose median is the latency. */
const samples = 5;

/** A certificate that ends sooner is worth a word: most are renewed a month before, by programs that may fail. */
const nearMs = 14 * 86_400_000;

/** Asks servers what they speak and let us do, pushing included, all at once; also those that did not answer lately. Errors: the signal's. */
export async function checkRemotes(specs: readonly RemoteSpec[], options: CheckOptions): Promise<RemoteCheck[]> {
  const { reachability, signal, now } = options;
  await using opened = await openRemotes(specs, { reachability, insist: true, askPush: true, signal });
  const checks = new Map<RemoteSpec, RemoteCheck>();
  for (const { spec, error } of opened.left) {
    const { proxy, ignored } = wayTo(spec, undefined);
    const nothing = { place: undefined, latencyMs: undefined, shortcomings: [] };
    checks.set(spec, { spec, error, proxy, ...nothing, warnings: ignored });
  }
  const asked = opened.open.map(async (place) => checks.set(place.spec, await checkOf(place, signal, now)));
  await Promise.all(asked);
  return specs.flatMap((spec) => checks.get(spec) ?? []);
}

/** Whether all that the configuration asks of a server works. */
export function works({ error, shortcomings }: RemoteCheck): boolean {
  return error === undefined && shortcomings.length === 0;
}

async function checkOf(place: RemotePlace, signal: AbortSignal, now: number): Promise<RemoteCheck> {
  const { spec, protocols, product, storage, certificateEnd } = place;
  const latencyMs = await medianRoundTrip(place, signal);
  const { proxy, ignored } = wayTo(spec, place);
  const ends = [endOf("its certificate", certificateEnd, now), endOf("our certificate", ownCertificateEnd(spec), now)];
  return {
    ...{ spec, error: undefined, proxy, latencyMs, shortcomings: place.shortcomings },
    place: { protocols, product, storage, certificateEnd, generations: place.index?.generations ?? [] },
    warnings: [...ends.filter((each) => each !== undefined), ...ignored],
  };
}

/** By way of which proxy a server is asked, as a web server where it turned out to be one; and what the environment says of proxies that is not followed. */
function wayTo({ url }: RemoteSpec, place: RemotePlace | undefined): { proxy: string | undefined; ignored: string[] } {
  const web = place?.protocols.some(({ name }) => name === "OSTree") === true ? URL.parse(url) : null;
  const { proxy, variable } = web === null ? proxyTo(url, process.env) : webProxy(web, process.env);
  const ignored = `what ${variable} names is not used: it is no http:// URL of a proxy`;
  return { proxy: proxy?.shown, ignored: variable !== undefined && proxy === undefined ? [ignored] : [] };
}

/** `undefined` of a server that has stopped answering meanwhile. */
async function medianRoundTrip(place: RemotePlace, signal: AbortSignal): Promise<number | undefined> {
  const times: number[] = [];
  try {
    for (let i = 0; i < samples; i++) times.push(await place.roundTrip(signal));
  } catch {
    signal.throwIfAborted();
  }
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}

function endOf(what: string, end: number | undefined, now: number): string | undefined {
  if (end === undefined || end - now > nearMs) return undefined;
  const days = Math.floor((end - now) / 86_400_000);
  if (days < 0) return `${what} has ended`;
  return `${what} ends ${days === 0 ? "within a day" : `in ${days} day${days === 1 ? "" : "s"}`}`;
}

function ownCertificateEnd({ auth }: RemoteSpec): number | undefined {
  if (auth.clientCert === undefined) return undefined;
  try {
    return Date.parse(new X509Certificate(readFileSync(auth.clientCert)).validTo);
  } catch {
    return undefined; // connecting has said what is wrong with it
  }
}
