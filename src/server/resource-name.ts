import type { Digest } from "../base/digest.ts";
import { parseDigest } from "../base/digest.ts";
import { functionOfName, sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";

export type Compression = "identity" | "zstd";

/** What a ByteStream resource name says (remote_execution.proto, service ContentAddressableStorage). */
export interface ReadName {
  readonly instance: string;
  readonly compression: Compression;
  /** The digest of the uncompressed bytes. */
  readonly digest: Digest;
}

export interface WriteName extends ReadName {
  /** The client's name for the upload. */
  readonly upload: string;
}

/** An instance name, an upload's name and what a client appends for itself, together: far above what any client sends. */
const maxNameLength = 1024;

/** Segments that end an instance name. */
const marks = new Set(["blobs", "compressed-blobs", "uploads"]);

/** As BuildStream 1.1.4 to 1.1.6 and 1.3.0 name a blob, to read and to write. */
const shortName = /^([0-9a-f]{64})\/(\d{1,16})$/;

/** `[INSTANCE/]blobs/[FUNCTION/]HASH/SIZE` or `[INSTANCE/]compressed-blobs/zstd/[FUNCTION/]HASH/SIZE`, or `HASH/SIZE` alone. Errors: `invalid`. */
export function parseReadName(name: string): ReadName {
  const short = parseShortName(name);
  if (short !== undefined) return short;
  const { instance, rest } = split(name);
  const { compression, digest, extra } = parseBlob(name, rest);
  if (extra > 0) refuse(name, "nothing may stand behind the size");
  return { instance, compression, digest };
}

/** `[INSTANCE/]uploads/UPLOAD/` and what `parseReadName` takes, with anything behind it, or `HASH/SIZE` alone. Errors: `invalid`. */
export function parseWriteName(name: string): WriteName {
  const short = parseShortName(name);
  if (short !== undefined) return { ...short, upload: "" };
  const { instance, rest } = split(name);
  const [mark, upload] = rest;
  if (mark !== "uploads" || upload === undefined || upload === "") refuse(name, "uploads/NAME/ is missing");
  const { compression, digest } = parseBlob(name, rest.slice(2));
  return { instance, upload, compression, digest };
}

function parseShortName(name: string): ReadName | undefined {
  const [, hash, size] = shortName.exec(name) ?? [];
  if (hash === undefined) return undefined;
  return { instance: "", compression: "identity", digest: parseDigest(hash, Number(size), sha256) };
}

function split(name: string): { instance: string; rest: string[] } {
  if (name.length > maxNameLength) refuse(name.slice(0, 100), `it is longer than ${maxNameLength} characters`);
  const segments = name.split("/");
  const mark = segments.findIndex((each) => marks.has(each));
  if (mark < 0) refuse(name, "it has no blobs segment");
  return { instance: segments.slice(0, mark).join("/"), rest: segments.slice(mark) };
}

function parseBlob(name: string, segments: string[]): { compression: Compression; digest: Digest; extra: number } {
  let at = 1;
  let compression: Compression = "identity";
  if (segments[0] === "compressed-blobs") {
    if (segments[1] !== "zstd") refuse(name, "the only compressor served is zstd");
    compression = "zstd";
    at = 2;
  } else if (segments[0] !== "blobs") refuse(name, "blobs/ or compressed-blobs/ is missing");
  const fn = functionOfName(segments[at] ?? "");
  if (fn !== undefined) at++;
  const [hash, size] = segments.slice(at, at + 2);
  if (hash === undefined || size === undefined || !/^\d{1,16}$/.test(size)) refuse(name, "HASH/SIZE is missing");
  return { compression, digest: parseDigest(hash, Number(size), fn), extra: segments.length - at - 2 };
}

function refuse(name: string, why: string): never {
  throw new StillageError("invalid", `${JSON.stringify(name)} is no resource name: ${why}`);
}
