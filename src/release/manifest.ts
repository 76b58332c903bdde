import { createHash } from "node:crypto";
import { stringify } from "yaml";
import type { Generation } from "../store/artifact-refs.ts";

/** A value of JSON in which nothing but whole numbers is a number. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Who says something: the artifact itself, what `bst show` printed, or both, and then they agree. */
export type Said = "artifact" | "show" | "both";

/** The artifact that was released. What it does not tell is null. */
export interface ManifestArtifact {
  readonly project: string;
  readonly element: string;
  readonly generation: Generation;
  /** The name in the catalogue under which it was found. */
  readonly key: string;
  readonly keys: { readonly strong: string | null; readonly weak: string | null; readonly strict: string | null };
  /** The element's kind, as `bst show` says. */
  readonly kind: string | null;
  /** The Directory that became the tree; null where it was an OSTree commit. */
  readonly files: { readonly function: string; readonly hash: string; readonly size: number } | null;
  /** The commit that it was taken from, of generation 1.0. */
  readonly commit: string | null;
  /** The version of the Artifact message. */
  readonly messageVersion: number | null;
  /** Built in a workspace, from sources that no key tells of. */
  readonly workspaced: boolean;
}

/** Where something that was built came from, as the `source-info` of BuildStream says it; names and words are its own. */
export interface ManifestSource {
  /** The element that has it. */
  readonly element: string;
  readonly kind: string;
  readonly url: string | null;
  readonly medium: string | null;
  readonly versionType: string | null;
  readonly version: string | null;
  readonly versionGuess: string | null;
  readonly homepage: string | null;
  readonly issueTracker: string | null;
  /** Whatever else it says. */
  readonly more: { readonly [key: string]: Json };
}

/** An element that was needed for the released one. */
export interface ManifestDependency {
  readonly project: string | null;
  readonly element: string;
  readonly key: string;
  readonly kind: string | null;
  readonly workspaced: boolean;
  readonly said: Said;
}

/** A file that was given with the release and lies beside it. */
export interface ManifestAttachment {
  readonly name: string;
  /** `spdx`, `cyclonedx`, or `file`. */
  readonly kind: string;
  readonly mediaType: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * What a release is made of. Equal input gives equal bytes: it has no time of day, and never names the commit, which names it. Lists are in an order
 * that their content gives. What nobody has said is null.
 */
export interface Manifest {
  readonly manifestVersion: 1;
  readonly title: string | null;
  /** Of the release. */
  readonly version: string | null;
  readonly content: { readonly checksum: string; readonly files: number; readonly bytes: number };
  /** null where a directory was released. */
  readonly artifact: ManifestArtifact | null;
  readonly sources: readonly ManifestSource[] | null;
  readonly dependencies: readonly ManifestDependency[] | null;
  readonly metadata: { readonly [key: string]: string };
  readonly attachments: readonly ManifestAttachment[];
}

/** JSON with sorted keys and nothing between tokens, and a line feed at the end: one text for one value (RFC 8785, of the values of `Json`). */
export function canonicalJson(value: unknown): string {
  return `${canonical(value)}\n`;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  // By hand, because an object puts keys that look like numbers first.
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(",")}}`;
}

/** The bytes of `manifest.json`, whose SHA-256 stands in the commit. */
export function manifestJson(manifest: Manifest): Uint8Array {
  return Buffer.from(canonicalJson(manifest));
}

/** The same for people, key by key in the same order. */
export function manifestYaml(manifest: Manifest): string {
  return stringify(JSON.parse(canonicalJson(manifest)), { aliasDuplicateObjects: false, lineWidth: 0 });
}

export function manifestDigest(json: Uint8Array): string {
  return createHash("sha256").update(json).digest("hex");
}
