import { StillageError } from "../base/errors.ts";
import { isKeyName } from "./public-keys.ts";

/** A file beside a release, as the list of another repository says. */
export interface BesideFile {
  readonly name: string;
  /** From the public directory. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

export interface MirrorList {
  /** Files of public keys, from the public directory. */
  readonly keys: readonly string[];
  /** What lies beside releases, by their commits. */
  readonly files: ReadonlyMap<string, readonly BesideFile[]>;
}

const fileName = /^[A-Za-z0-9_][-+~.\w]*$/;
const keyPath = /^keys\/([^/]+)\.(?:ed25519|gpg|asc|pem)$/;
/** As many files as a directory of keys may have. */
const maxKeyFiles = 500;
const besidePath = /^releases\/([0-9a-f]{64})\/([^/]+)$/;

/** Reads what a `releases.json` says of files, and nothing else. Errors: `invalid`, also for paths that lead elsewhere. */
export function readMirrorList(bytes: Uint8Array): MirrorList {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw wrong(`it is not JSON: ${(error as Error).message}`);
  }
  const { listVersion, keys, releases } = record(json);
  if (listVersion !== 1) throw wrong("it is of another version");
  const files = new Map<string, BesideFile[]>();
  for (const each of listOf(releases)) {
    const { commit, manifest, provenance, files: more } = record(each);
    if (typeof commit !== "string") throw wrong("it has a release without a commit");
    const all = [manifest, provenance, ...listOf(more)].filter((file) => file !== null && file !== undefined);
    const described = all.map((file) => besideFile(file, commit));
    if (new Set(described.map(({ name }) => name)).size < all.length) throw wrong(`it has a file of ${commit} twice`);
    if (all.length > 0) files.set(commit, described);
  }
  const paths = new Set(listOf(keys).flatMap((key) => listOf(record(key).files).map(checkKeyPath)));
  if (paths.size > maxKeyFiles) throw wrong(`it has more than ${maxKeyFiles} files of keys`);
  return { keys: [...paths], files };
}

function besideFile(value: unknown, commit: string): BesideFile {
  const { path, sha256, size } = record(value);
  const [, directory, name] = typeof path === "string" ? (besidePath.exec(path) ?? []) : [];
  const fine = directory === commit && name !== undefined && fileName.test(name);
  const described =
    typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) && Number.isSafeInteger(size) && Number(size) >= 0;
  if (!fine || !described) throw wrong(`it has the file ${JSON.stringify(path)?.slice(0, 200)}`);
  return { name, path: path as string, sha256, size: Number(size) };
}

function checkKeyPath(path: unknown): string {
  const name = typeof path === "string" ? keyPath.exec(path)?.[1] : undefined;
  if (name !== undefined && isKeyName(name)) return path as string;
  throw wrong(`it has the key ${JSON.stringify(path)?.slice(0, 200)}`);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function wrong(what: string): StillageError {
  return new StillageError("invalid", `the source's releases.json cannot be used: ${what}`);
}
