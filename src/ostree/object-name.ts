import { StillageError } from "../base/errors.ts";

/** The SHA-256 that names an object: 64 hex digits in lower case. Made by `parseChecksum`, or by hashing. */
export type Checksum = string;

export const objectTypes = ["commit", "dirtree", "dirmeta", "file"] as const;
export type ObjectType = (typeof objectTypes)[number];

/** As the names of files end in a repository of mode `archive`. */
const suffixes: Readonly<Record<ObjectType, string>> = {
  commit: "commit",
  dirtree: "dirtree",
  dirmeta: "dirmeta",
  file: "filez",
};
const typesBySuffix = new Map(objectTypes.map((type) => [suffixes[type], type]));

const checksum = /^[0-9a-f]{64}$/;

export function isChecksum(text: string): boolean {
  return checksum.test(text);
}

/** Errors: `invalid`. */
export function parseChecksum(text: string): Checksum {
  if (checksum.test(text)) return text;
  throw new StillageError(
    "invalid",
    `${JSON.stringify(text.slice(0, 100))} is no checksum of 64 lower-case hex digits`,
  );
}

export function checksumOfBytes(bytes: Uint8Array): Checksum {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

export function bytesOfChecksum(text: Checksum): Uint8Array {
  return Buffer.from(parseChecksum(text), "hex");
}

/** `objects/ab/cd….dirtree`: where an archive repository has an object. */
export function objectPath(name: Checksum, type: ObjectType): string {
  return `objects/${name.slice(0, 2)}/${name.slice(2)}.${suffixes[type]}`;
}

export interface ObjectName {
  readonly checksum: Checksum;
  readonly type: ObjectType;
}

/** What `objects/ab/cd….dirtree` names; `undefined` for every other path. */
export function parseObjectPath(path: string): ObjectName | undefined {
  const [, head, rest, suffix] = /^objects\/([0-9a-f]{2})\/([0-9a-f]{62})\.([a-z]+)$/.exec(path) ?? [];
  return nameOf(`${head}${rest}`, suffix);
}

/** What `abcd….dirtree` names: how objects are called in the archives of a push. `undefined` for every other text. */
export function parseObjectFileName(text: string): ObjectName | undefined {
  const [, name, suffix] = /^([0-9a-f]{64})\.([a-z]+)$/.exec(text) ?? [];
  return nameOf(name, suffix);
}

export function objectFileName({ checksum, type }: ObjectName): string {
  return `${checksum}.${suffixes[type]}`;
}

function nameOf(text: string | undefined, suffix: string | undefined): ObjectName | undefined {
  const type = typesBySuffix.get(suffix ?? "");
  return text === undefined || type === undefined ? undefined : { checksum: text, type };
}
