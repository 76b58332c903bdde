import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const folder = join(import.meta.dirname, "../../test/fixtures/ostree");

/** What the real tools made of the repository that is in `tinyRepository`. */
export interface TinyAnswers {
  readonly commits: Readonly<Record<string, string>>;
  readonly content_checksums: Readonly<Record<string, string>>;
  readonly objects: readonly { checksum: string; type: "commit" | "dirtree" | "dirmeta" | "filez" | "commitmeta" }[];
  readonly metadata_hex: Readonly<Record<string, string>>;
  readonly small_filez_hex: Readonly<Record<string, string>>;
  readonly summary_hex: string;
  readonly summary_sig_hex: string;
  /** `-00644 0 0      2 CHECKSUM /path`, with two checksums for directories and ` -> target` for links. */
  readonly listings_without_wide: Readonly<Record<string, readonly string[]>>;
}

export function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}

export const tinyAnswers: TinyAnswers = readJson("tiny-repo.json");

/** The files of a vector that is a compressed tar, by their paths without the first folder. */
export function filesOfTar(name: string): Map<string, Uint8Array> {
  const tar = gunzipSync(readFileSync(join(folder, name)));
  const files = new Map<string, Uint8Array>();
  for (let at = 0; tar[at] !== 0; ) {
    const [path = ""] = tar.toString("utf8", at, at + 100).split("\0");
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 136), 8);
    const content = at + 512;
    const [, ...inside] = path.split("/");
    if (tar.toString("latin1", at + 156, at + 157) === "0") {
      files.set(inside.join("/"), Uint8Array.from(tar.subarray(content, content + size)));
    }
    at = content + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** A real archive repository: the files by their paths. */
export function tinyRepository(): Map<string, Uint8Array> {
  return filesOfTar("tiny-repo.tar.gz");
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const bytesOfHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
