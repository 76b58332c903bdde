import type { ArtifactGlob } from "../artifact-index.ts";

/** An element, as its artifacts are named. */
export interface ElementName {
  readonly project: string;
  readonly element: string;
}

/** In milliseconds since 1970. */
export interface RefTimes {
  /** When it was written here. */
  readonly written: number;
  readonly used: number;
}

/** The refs of one generation by `PROJECT/ELEMENT/KEY`, wherever they are kept. What cannot be a name leads nowhere. */
export interface RefShelf {
  /** A ref's bytes; `undefined` where there is none, or nothing that a ref can be. */
  read(project: string, element: string, key: string): Uint8Array | undefined;
  /** `undefined` where nothing is noted of it. */
  timesOf(project: string, element: string, key: string): RefTimes | undefined;
  /** Notes a use. Never fails. */
  touch(project: string, element: string, key: string): void;
  /** Elements that may have what a glob describes, in order. */
  elements(glob: ArtifactGlob): Iterable<ElementName>;
  /** The keys of an element, in order. */
  keys(project: string, element: string): string[];
  /** Makes each of the keys lead to these bytes. Errors: `invalid` for what cannot be a name. */
  write(project: string, element: string, keys: readonly string[], bytes: Uint8Array): Promise<void>;
  /** False where there was none. */
  remove(project: string, element: string, key: string): boolean;
}
