import type { Problem } from "../../config/problem.ts";
import type { Dialect, Generation } from "../../project/dialect.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** What remotes are wanted for: those of the command line push unless it is `pull`. */
export type Purpose = "all" | "push" | "pull";

/** Everything that has a say in the configuration of a client. */
export interface ClientSources {
  /** Where the project is looked for, upwards; absolute. Paths of the command line and of user configuration are seen from `workingDirectory`. */
  readonly directory: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The grammar; found out where it is `undefined`. */
  readonly dialect: Dialect | undefined;
  /** BuildStream's user configuration, where it is not found by itself. */
  readonly buildstreamConfig: string | undefined;
  /** Stillage's own file, where it is not found by itself. */
  readonly clientConfig: string | undefined;
  /** As on the command line: the name of a remote, a URL, or `url=URL,push=…`. */
  readonly remotes: readonly string[];
  readonly ignoreProjectRemotes: boolean;
  readonly purpose: Purpose;
  /** The local cache, in place of the configured one. */
  readonly cache: string | undefined;
  /** Project options: name and value. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** Whose remotes are meant, where it is not the project that is found: a subproject's, which has its options from its junction. */
  readonly subproject?: Subproject;
}

/** A project that another one has elements of. */
export interface Subproject {
  readonly name: string;
  /** Where its files are; `undefined` where that is not known, and so what it recommends is not. */
  readonly directory: string | undefined;
  /** What the projects around it recommend, the outermost first. */
  readonly around: readonly RemoteSpec[];
  /** The same of caches of sources. */
  readonly sourceCachesAround: readonly RemoteSpec[];
}

/** Caches of sources, which `bst` alone works with: those that it uses, in its order, and what the project and those around it recommend. */
export interface SourceCaches {
  readonly used: readonly RemoteSpec[];
  readonly recommended: readonly RemoteSpec[];
}

/** A remote that is configured and not used. */
export interface SetAside {
  readonly remote: RemoteSpec;
  readonly why: string;
}

export interface ClientProject {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
}

/** What a client works with. */
export interface ClientConfiguration {
  readonly generation: Generation;
  readonly dialect: Dialect;
  /** The local cache: `cachedir` of 2.x, what `artifactdir` of 1.x is in; absolute. */
  readonly cacheDirectory: string;
  /** Where BuildStream 1.1.4 to 1.6 has its artifacts: `artifactdir` in a configuration of 1.x, else `artifacts` in the local cache. */
  readonly artifactDirectory: string;
  /** Those that are used, in the order in which they are asked; no two are equal. */
  readonly remotes: readonly RemoteSpec[];
  readonly setAside: readonly SetAside[];
  /** What the project and those around it recommend, used or not. */
  readonly recommended: readonly RemoteSpec[];
  /** Of BuildStream 2; others have none that we know of. What is wrong with their URLs was not looked for. */
  readonly sourceCaches: SourceCaches;
  /** Those of Stillage's own file, also the ones that are used only where they are named. */
  readonly named: readonly RemoteSpec[];
  /** `undefined` where no project is above the directory. */
  readonly project: ClientProject | undefined;
  /** How many elements are pulled, built and pushed at once. */
  readonly fetchers: number;
  readonly builders: number;
  readonly pushers: number;
  /** Tries after the first one. */
  readonly networkRetries: number;
  readonly onError: "quit" | "continue" | "terminate";
  /** What was read, for people. */
  readonly files: readonly string[];
  /** What in these files could not be followed, and may matter. */
  readonly notes: readonly Problem[];
  /** What the same files come to for a subproject, with the options that its junction gives it. Only one that was read from files knows it. */
  ofSubproject?(project: Subproject, options: ClientSources["options"]): ClientConfiguration | readonly Problem[];
}
