import { StillageError } from "../base/errors.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
import type { ManifestArtifact } from "./manifest.ts";
import { metadataKeys } from "./prepared.ts";
import { ostreeKeys } from "./release-record.ts";

/** What clients download to see what a commit says is bounded, so what people add is short. */
const maxPairs = 100;
const maxKeyLength = 255;
const maxValueLength = 4096;

/** Keys that have a meaning of their own. */
const reserved = new Set<string>([...Object.values(ostreeKeys), ...Object.values(metadataKeys)]);

/** What `--metadata KEY=VALUE` says. Errors: `invalid`. */
export function parseMetadata(pairs: readonly string[]): Readonly<Record<string, string>> {
  if (pairs.length > maxPairs) {
    throw new StillageError("invalid", `${pairs.length} metadata are more than a release may have (${maxPairs})`);
  }
  const metadata = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const [key, value] = [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)];
    if (!/^[A-Za-z_][-.\w]*$/.test(key) || key.length > maxKeyLength) {
      throw wrong(pair, `KEY=VALUE begins with up to ${maxKeyLength} letters, digits, and . _ - inside`);
    }
    if (reserved.has(key) || /^(ostree|stillage)\./.test(key)) throw wrong(pair, `${key} is not yours to set`);
    if (value.length > maxValueLength || value.includes("\0")) {
      throw wrong(pair, `a value has up to ${maxValueLength} characters, and no NUL`);
    }
    if (metadata.has(key)) throw wrong(pair, `${key} is there twice`);
    metadata.set(key, value);
  }
  return Object.fromEntries([...metadata].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function wrong(pair: string, hint: string): StillageError {
  return new StillageError("invalid", `the metadata ${JSON.stringify(pair.slice(0, 200))} cannot be set`, { hint });
}

/** What a release's commit says besides its tree. */
export interface ReleaseWords {
  readonly version: string | undefined;
  readonly title: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly artifact: ManifestArtifact | undefined;
  /** SHA-256 of the manifest. */
  readonly manifest: string;
}

/** A commit's metadata, in the order in which `ostree commit` writes such: texts first, the branch last. */
export function releaseMetadata(words: ReleaseWords, branch: string): Dictionary {
  const { version, title, metadata, artifact, manifest } = words;
  const texts: [key: string, text: string | undefined][] = [
    [ostreeKeys.version, version],
    [ostreeKeys.title, title],
    [metadataKeys.artifact, artifact && `${artifact.project}/${artifact.element}`],
    [metadataKeys.artifactKey, artifact && (artifact.keys.strong ?? artifact.key)],
    [metadataKeys.manifest, manifest],
    ...Object.entries(metadata),
  ];
  return bound(
    texts.flatMap(([key, text]) => (text === undefined ? [] : [[key, { type: "s", value: text }] as const])),
    branch,
  );
}

/** Metadata with some texts changed: `undefined` takes one away. */
export function changedMetadata(
  before: Dictionary,
  changes: Readonly<Record<string, string | undefined>>,
  branch: string,
): Dictionary {
  const kept = before.filter(([key]) => !Object.hasOwn(changes, key) && key !== ostreeKeys.refBinding);
  const added = Object.entries(changes).flatMap(([key, text]) =>
    text === undefined ? [] : [[key, { type: "s", value: text }] as const],
  );
  return bound([...kept, ...added], branch);
}

/** Says which branch a commit is of: clients refuse it under another. */
function bound(metadata: Dictionary, branch: string): Dictionary {
  return [...metadata, [ostreeKeys.refBinding, { type: "as", value: [branch] }]];
}
