import { type Manifest, manifestDigest, manifestJson } from "./manifest.ts";
import { encodeStatement, provenanceOf } from "./provenance.ts";

export interface StatementOptions {
  readonly commit: string;
  readonly branch: string;
  readonly manifest: Manifest;
  readonly builder: string | undefined;
  readonly versions: Readonly<Record<string, string>>;
  /** Logs of the build: name -> SHA-256. */
  readonly logs?: Readonly<Record<string, string>>;
}

/** What is signed about a commit: its provenance, as bytes. */
export function statementOf(options: StatementOptions): Uint8Array {
  return encodeStatement(provenanceOf({ ...options, manifestDigest: manifestDigest(manifestJson(options.manifest)) }));
}
