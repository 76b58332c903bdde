import { StillageError } from "../base/errors.ts";
import { isAttachmentName } from "./attachment-name.ts";
import type { Manifest } from "./manifest.ts";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const hex: Check = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const orNull = (check: Check): Check => {
  return (value) => value === null || check(value);
};
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (check: Check): Check => {
  return (value) => Array.isArray(value) && value.every(check);
};
const mapOf = (check: Check): Check => {
  return (value) => isRecord(value) && Object.values(value).every(check);
};
/** Fields beyond these are let be: a later version may have more. */
const shape = (fields: Readonly<Record<string, Check>>): Check => {
  return (value) => isRecord(value) && Object.entries(fields).every(([key, check]) => check(value[key]));
};
const maybeText = orNull(text);
const anything: Check = () => true;

const artifact = shape({
  ...{ project: text, element: text, generation: text, key: text, kind: maybeText, workspaced: flag },
  keys: shape({ strong: maybeText, weak: maybeText, strict: maybeText }),
  files: orNull(shape({ function: text, hash: text, size: count })),
  ...{ commit: maybeText, messageVersion: orNull(count) },
});
const source = shape({
  ...{ element: text, kind: text, url: maybeText, medium: maybeText, versionType: maybeText, version: maybeText },
  ...{ versionGuess: maybeText, homepage: maybeText, issueTracker: maybeText, more: mapOf(anything) },
});
const dependency = shape({
  ...{ project: maybeText, element: text, key: text, kind: maybeText, workspaced: flag, said: text },
});
const attachment = shape({
  name: (value) => typeof value === "string" && isAttachmentName(value),
  ...{ kind: text, mediaType: text, sha256: hex, size: count },
});
const manifest = {
  manifestVersion: (value: unknown) => value === 1,
  ...{ title: maybeText, version: maybeText, content: shape({ checksum: hex, files: count, bytes: count }) },
  ...{ artifact: orNull(artifact), sources: orNull(listOf(source)), dependencies: orNull(listOf(dependency)) },
  ...{ metadata: mapOf(text), attachments: listOf(attachment) },
} satisfies Record<keyof Manifest, Check>;

/** Reads `manifest.json`, whoever wrote it. Errors: `invalid`, also for names of attachments that are not those of files beside it. */
export function parseManifest(bytes: Uint8Array): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw notManifest(`it is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(json)) throw notManifest("it is no object");
  for (const [field, check] of Object.entries(manifest)) {
    if (!check(json[field])) throw notManifest(`${field} is not what it should be`);
  }
  const found = json as unknown as Manifest;
  const names = new Set(found.attachments.map(({ name }) => name));
  if (names.size < found.attachments.length) throw notManifest("two attachments have one name");
  return found;
}

function notManifest(why: string): StillageError {
  return new StillageError("invalid", `this is no manifest of a release: ${why}`);
}
