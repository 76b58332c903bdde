import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StillageError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { stampFile } from "../store/disk/format-stamp.ts";
import type { ClientConfiguration } from "./configuration/client-configuration.ts";
import { artifactFolder } from "./local/cache-layout.ts";
import type { RemoteSpec } from "./remote-spec.ts";

/** What of a configuration says which places there are. */
export type KnownPlaces = Pick<ClientConfiguration, "cacheDirectory" | "artifactDirectory" | "remotes" | "named">;

/** What somebody's name for a place comes to, before it is opened. Paths are absolute. */
export type NamedPlace =
  | { readonly kind: "local cache"; readonly directory: string; readonly artifacts: string }
  | { readonly kind: "remote"; readonly spec: RemoteSpec }
  /** A server that is not configured: a URL, or how the command line describes one. */
  | { readonly kind: "address"; readonly text: string }
  | { readonly kind: "tar file"; readonly path: string }
  | { readonly kind: "store"; readonly directory: string };

/** The place that is BuildStream's own cache on this machine. */
export const localName = "local";

/**
 * What is meant by `local`, the name or URL of a remote, a URL, a path that ends in `.tar`, or a directory: what lies in one tells whether it is the store of a server or a cache of
 * BuildStream. Errors: `invalid` for what is none of them.
 */
export function namedPlace(text: string, known: KnownPlaces, workingDirectory = process.cwd()): NamedPlace {
  if (text === localName) {
    return { kind: "local cache", directory: known.cacheDirectory, artifacts: known.artifactDirectory };
  }
  const remotes = [...known.remotes, ...known.named];
  const spec = remotes.find(({ name }) => name === text) ?? remotes.find(({ url }) => url === text);
  if (spec !== undefined) return { kind: "remote", spec };
  if (/^[a-z][a-z0-9+.-]*:\/\/|^unix:|^url=/i.test(text)) return { kind: "address", text };
  const path = resolve(workingDirectory, text);
  const there = text === "" ? undefined : statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) return directoryPlace(path);
  if (text.endsWith(".tar")) return { kind: "tar file", path };
  const near = nearest(text, [localName, ...remotes.map(({ name }) => name)]);
  throw new StillageError("invalid", `${JSON.stringify(text)} is no place that artifacts could be in`, {
    hint:
      near === undefined
        ? "a place is `local`, the name or the URL of a server, a file that ends in .tar, or the directory of a cache or store"
        : `did you mean ${near}?`,
  });
}

function directoryPlace(directory: string): NamedPlace {
  if (existsSync(join(directory, stampFile))) return { kind: "store", directory };
  if (["cas", "artifacts", "ostree"].some((each) => existsSync(join(directory, each)))) {
    return { kind: "local cache", directory, artifacts: join(directory, artifactFolder) };
  }
  // A repository of OSTree, such as caches of BuildStream 1.0 are.
  if (["config", "objects", "refs"].every((each) => existsSync(join(directory, each)))) {
    return { kind: "address", text: pathToFileURL(directory).href };
  }
  throw new StillageError("invalid", `${directory} is neither the store of a server nor a cache of BuildStream`, {
    hint: "name the directory that the server was started with, or BuildStream's cache directory, in which `cas` and `artifacts` are",
  });
}
