import { StillageError } from "../../base/errors.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import type { OstreePlace } from "./ostree-place.ts";

export interface OpenOstreeOptions {
  /** Of all that is done with the place. */
  readonly signal: AbortSignal;
}

/** Whether a URL can be that of a cache of BuildStream 1.0: `http(s)://`, `ssh://`, `file://` or a path. */
export function mayBeOstree(url: string): boolean {
  return /^(https?|ssh|file):\/\//.test(url) || isPath(url);
}

/**
 * Opens a cache of BuildStream 1.0 to 1.1.3, which is a repository of OSTree: by `http(s)://` one behind a web server, or the one that a Stillage there has of its store; by `ssh://` one that a receiver
 * takes pushes into, and that is pulled from where the receiver says; by `file://` or a path one on this machine.
 * Errors: `not-found` where there is no repository; `unavailable`, `deadline`; `unauthenticated`, `forbidden`; `invalid` for a URL, files of the configuration and summaries that cannot be used; `unsupported`
 * for repositories of another mode; `failed-precondition` where the other side of ssh is no receiver; the signal's reason.
 */
export async function openOstreeRemote(spec: RemoteSpec, { signal }: OpenOstreeOptions): Promise<OstreePlace> {
  const { name, url } = spec;
  signal.throwIfAborted();
  if (/^https?:\/\//.test(url)) return (await import("./web-place.ts")).openWebPlace(spec, signal);
  if (url.startsWith("ssh://")) return (await import("./receiver-place.ts")).openReceiverPlace(spec, signal);
  if (url.startsWith("file://") || isPath(url))
    return (await import("./repository-place.ts")).openRepositoryPlace(spec);
  throw new StillageError("unsupported", `${name}: ${shownUrl(url)} is no URL of a cache of BuildStream 1.0`, {
    hint: "http(s)://, ssh://, file:// and paths are",
  });
}

function isPath(url: string): boolean {
  return !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url);
}
