import { existsSync, opendirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { nearest } from "../config/nearest.ts";
import { stampFile } from "../store/disk/format-stamp.ts";
import type { ClientConfiguration } from "./configuration/client-configuration.ts";
import { cacheDirectoriesAt } from "./local/cache-directories.ts";
import { isAbsent } from "./local/cache-failure.ts";
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
 * BuildStream. Errors: `invalid` for what is none of them; `forbidden` for what cannot be looked at.
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
  const there = text === "" ? undefined : kindOf(path);
  if (there === "directory") return directoryPlace(path);
  if (text.endsWith(".tar")) return { kind: "tar file", path };
  const near = nearest(text, [localName, ...remotes.map(({ name }) => name)]);
  throw new StillageError(
    "invalid",
    `${JSON.stringify(text)} is no place that artifacts could be in${whyNot(path, text, there)}`,
    {
      hint: near === undefined ? whatToName(text, there) : `did you mean ${near}?`,
    },
  );
}

/** Names of archives that hold other things than an uncompressed tar. */
const otherArchive = /\.(?:tar\.[a-z0-9]+|t[gx]z|tbz2?|tzst|gz|xz|bz2|zst|zip|7z|rar)$/i;

function whyNot(path: string, text: string, there: "file" | undefined): string {
  if (text === "") return "";
  if (otherArchive.test(text)) return ": archives of artifacts are tar files that are not compressed";
  return there === undefined
    ? `: there is no directory ${path}, and no remote of that name`
    : ": it is a file, and not called .tar";
}

function whatToName(text: string, there: "file" | undefined): string {
  if (otherArchive.test(text)) return "name a file that ends in .tar, and compress it afterwards or unpack it before";
  const kinds =
    "a place is `local`, the name or the URL of a server, a file that ends in .tar, or the directory of a cache or store";
  if (there !== undefined || text === "") return kinds;
  return `${kinds}; a new cache is made by \`local\` as the place, with --cache ${text}`;
}

/** `undefined` for what is not there. Errors: `forbidden`. */
function kindOf(path: string): "directory" | "file" | undefined {
  try {
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw notReadable(path, error);
  }
}

/** Errors: `invalid`, `forbidden`. */
function directoryPlace(directory: string): NamedPlace {
  if (existsSync(join(directory, stampFile))) return { kind: "store", directory };
  if (["cas", "artifacts", "ostree"].some((each) => existsSync(join(directory, each)))) {
    const { cacheDirectory, artifactDirectory } = cacheDirectoriesAt(directory);
    return { kind: "local cache", directory: cacheDirectory, artifacts: artifactDirectory };
  }
  // A repository of OSTree, such as caches of BuildStream 1.0 are.
  if (["config", "objects", "refs"].every((each) => existsSync(join(directory, each)))) {
    return { kind: "address", text: pathToFileURL(directory).href };
  }
  try {
    opendirSync(directory).closeSync();
    statSync(join(directory, "."));
  } catch (error) {
    throw notReadable(directory, error);
  }
  throw new StillageError("invalid", `${directory} is neither the store of a server nor a cache of BuildStream`, {
    hint: "name the directory that the server was started with, or BuildStream's cache directory, in which `cas` and `artifacts` are",
  });
}

function notReadable(path: string, cause: unknown): StillageError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM") return fromFileSystem(cause, `looking at ${path}`);
  return new StillageError("forbidden", `${path} cannot be read: permission denied (${code})`, {
    hint: "run as its owner, or as a user whom that has given the right to read it",
    cause,
  });
}
