import type { Digest } from "../base/digest.ts";
import type { Walk } from "../store/ref-store.ts";

/** The trees that an artifact may have: its output, and what cached build trees bring along. */
export const treeNames = ["files", "buildtree", "sources", "buildroot"] as const;
export type TreeName = (typeof treeNames)[number];

export interface ArtifactKeys {
  readonly strong: string | undefined;
  readonly weak: string | undefined;
  readonly strict: string | undefined;
}

export interface BuildOutcome {
  /** `undefined` where nothing tells. */
  readonly success: boolean | undefined;
  readonly error: string | undefined;
  readonly details: string | undefined;
  /** Built in a workspace, from sources that no key tells of. */
  readonly workspaced: boolean;
}

/** An element that this one was built with. */
export interface BuildDependency {
  /** `undefined` where the artifact does not tell. */
  readonly project: string | undefined;
  readonly element: string;
  readonly key: string;
  readonly workspaced: boolean;
}

export interface LogFile {
  readonly name: string;
  readonly digest: Digest;
  /** Bytes of the text, which are not those of the blob where that is deflated. */
  readonly size: number;
}

/** What has to be there for an artifact to be whole. */
export interface ArtifactPart {
  /** In words: `files`, `public data`, `log NAME` … */
  readonly name: string;
  readonly walk: Extract<Walk, "blob" | "directory" | "commit">;
  readonly digest: Digest;
  /** Without it, no client gets the artifact. */
  readonly required: boolean;
}

/** What an artifact says of itself, whichever generation it is of. */
export interface ArtifactContent {
  /** The version of the message; `undefined` where the form has none. */
  readonly version: number | undefined;
  readonly keys: ArtifactKeys;
  readonly build: BuildOutcome;
  readonly trees: Readonly<Partial<Record<TreeName, Digest>>>;
  readonly logs: readonly LogFile[];
  readonly dependencies: readonly BuildDependency[];
  /** A YAML file. */
  readonly publicData: Digest | undefined;
  readonly parts: readonly ArtifactPart[];
  /** What could not be read, a sentence each. */
  readonly problems: readonly string[];
}
