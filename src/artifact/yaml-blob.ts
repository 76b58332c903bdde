import { parseDocument } from "yaml";
import type { Digest } from "../base/digest.ts";
import { ostree } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { readPlainFile } from "../cache/file-object.ts";
import { readMessage } from "../cache/read-message.ts";
import type { BlobReader } from "../store/blob-store.ts";

/** The metadata of an element are some kilobytes. */
export const maxYamlBytes = 64 << 10;

/** What costs a parser most is how a file is made, not its length: real ones have hundreds of lines, and nest by them. */
const maxLines = 4000;
const maxBrackets = 1000;
const maxCommas = 4000;
const maxInLine = 16;

/** Text, a list or a mapping: BuildStream gives no scalar another type. */
export type YamlValue = string | null | YamlValue[] | { [key: string]: YamlValue };

export type YamlOutcome =
  | { readonly value: YamlValue; readonly problem?: undefined }
  | { readonly value: undefined; readonly problem: string };

/** Reads a stored YAML file; `what` is its name in what is said where that does not work. Never fails but for the store. */
export async function readYaml(blobs: BlobReader, digest: Digest, what: string): Promise<YamlOutcome> {
  const failed = (why: string): YamlOutcome => ({ value: undefined, problem: `${what} ${why}` });
  const bytes = await readFile(blobs, digest);
  if (typeof bytes === "string") return failed(bytes);
  if (bytes === undefined) return failed("is not in this cache");
  return { ...(parseYaml(bytes) ?? failed("is not YAML of the kind that BuildStream writes")) };
}

/** The bytes of a file, or why they are not read. */
async function readFile(blobs: BlobReader, digest: Digest): Promise<Uint8Array | string | undefined> {
  if (digest.function !== ostree) {
    if (digest.size > maxYamlBytes) return `has ${digest.size} bytes; up to ${maxYamlBytes} are read`;
    return readMessage(blobs, digest);
  }
  try {
    return await readPlainFile(blobs, digest, maxYamlBytes);
  } catch (error) {
    if (error instanceof StillageError && error.code === "exhausted") return error.message;
    if (error instanceof StillageError && error.code === "invalid") return `cannot be read: ${error.message}`;
    throw error;
  }
}

/** `undefined` for what is not YAML, or has aliases, or a depth or size that BuildStream's has not. Of two values of one key the last counts. */
export function parseYaml(bytes: Uint8Array): { readonly value: YamlValue } | undefined {
  const text = Buffer.from(bytes).toString();
  if (!isModest(text)) return undefined;
  try {
    const document = parseDocument(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
    if (document.errors.length > 0) return undefined;
    return { value: document.toJS({ maxAliasCount: 0 }) as YamlValue };
  } catch {
    return undefined; // a depth that no stack has room for; a number of aliases
  }
}

/** Whether parsing it takes milliseconds: some tens at worst. */
function isModest(text: string): boolean {
  if ((text.match(/[[{]/g)?.length ?? 0) > maxBrackets) return false;
  if ((text.match(/,/g)?.length ?? 0) > maxCommas) return false;
  const lines = text.split("\n");
  if (lines.length > maxLines) return false;
  return lines.every(
    (line) => line.length < 100 || (line.match(/[-?:](?=\s)/g)?.length ?? 0) <= maxInLine * (1 + line.length / 100),
  );
}

/** The value of a mapping under a key, where both are there. */
export function memberOf(value: YamlValue | undefined, key: string): YamlValue | undefined {
  if (value === undefined || value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

export function textOf(value: YamlValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function truthOf(value: YamlValue | undefined): boolean | undefined {
  if (typeof value !== "string") return undefined;
  return /^true$/i.test(value) ? true : /^false$/i.test(value) ? false : undefined;
}
