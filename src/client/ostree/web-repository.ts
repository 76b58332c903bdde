import { StillageError } from "../../base/errors.ts";
import { inTime } from "../../base/in-time.ts";
import { type HttpSource, httpSource } from "../../ostree/archive/http-source.ts";
import { nameAndUrl } from "../connection/connection-failure.ts";
import { tlsFailure, tlsTrouble } from "../connection/tls-trouble.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import { type HttpAccess, httpAccess } from "./http-access.ts";
import { readSummary } from "./web-names.ts";

/** How long a web server may take to say that it has a repository, in milliseconds; and, later, how long it may be silent. */
const firstAnswerMs = 5_000;
const silenceMs = 15_000;

/** A repository behind a web server. */
export interface WebRepository {
  /** What is above `summary`. */
  readonly base: URL;
  readonly source: HttpSource;
  readonly access: HttpAccess;
  readonly summary: Uint8Array;
}

/**
 * The repository at a URL, or the one that a server of ours there has of its store. `signal`: of all that is asked of it. Errors: `not-found` where there is none; `unavailable`, `deadline`, `unauthenticated`,
 * `forbidden`; `invalid` for what is no URL, and for files of the configuration; the signal's reason.
 */
export async function findWebRepository(spec: RemoteSpec, text: string, signal: AbortSignal): Promise<WebRepository> {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new StillageError("invalid", `${spec.name}: ${JSON.stringify(text.slice(0, 200))} is no http(s) URL`);
  }
  const access = httpAccess(spec, url);
  for (const base of bases(url, spec.instanceName)) {
    const source = httpSource(base.href, { ...access, signal, silenceMs });
    try {
      const summary = await inTime(readSummary(source), firstAnswerMs, "late" as const);
      if (summary === "late") throw silent(spec);
      if (summary !== undefined) return { base, source, access, summary };
      source.close();
    } catch (error) {
      source.close();
      signal.throwIfAborted();
      throw inWords(error, spec);
    }
  }
  throw new StillageError("not-found", `${spec.name}: there is no repository of artifacts at ${shownUrl(url.href)}`, {
    hint: "there, or below it in ostree/, should be a file `summary` that we may read",
  });
}

/** Where a repository may be: at the URL, or where our servers have it. */
function bases(url: URL, instance: string): URL[] {
  const own = new URL(url);
  if (!own.pathname.endsWith("/")) own.pathname += "/";
  const path = instance === "" ? "" : `${instance.split("/").map(encodeURIComponent).join("/")}/`;
  return /\/ostree\/(.*\/)?$/.test(own.pathname) ? [own] : [own, new URL(`ostree/${path}`, own)];
}

/** What is wrong with TLS, as where a server is asked by gRPC. */
function inWords(error: unknown, spec: RemoteSpec): unknown {
  if (!(error instanceof StillageError)) return error;
  const trouble = tlsTrouble(error.cause);
  return trouble === undefined ? error : tlsFailure(nameAndUrl(spec), trouble, error, error.code);
}

function silent(spec: RemoteSpec): StillageError {
  return new StillageError("deadline", `${spec.name}: there is no answer within ${firstAnswerMs / 1000} s`);
}
